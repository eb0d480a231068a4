"""Pit stops: whether to come in, the lane, the stop, and the way out."""

from bisect import bisect_right
from math import pi, sin

from races.sim.circuits.lane import Lane, stop_cost_s
from races.sim.race import laps, passing, race_control, strategy, traffic, wording
from races.sim.race.car import BOX, LANE, RACING, RETIRED, Car
from races.sim.race.field import FREE, NOWHERE, Field
from races.sim.race.strategy import Plan
from races.sim.settings import STEP_S

QUICKEST_S = 1.9
DELAY_S, DELAY_SHAPE = 0.32, 2.1  # log-logistic: median and shape of what goes less than perfectly
LONGEST = 3.0  # times the mean; beyond, it is drawn again
# What a team asks of a stop under a flag, in seconds: for its doubts up to so much, for each place at risk, and where
# its other car is being served. A car that has stopped this share of the race ago does not stop again.
DOUBT_S, PLACE_S, STACKED_S, FRESH = 5.0, 0.8, 3.0, 0.15
CREW_S = 1.0  # between a car's release and the crew's readiness for its team-mate
UNDERCUT_S, RIVAL_S = 2.0, 6.0
WINDOW = 0.09  # of the race: how far a stop may be brought forward to attack or defend
ATTACKS = 0.10  # share of the chances that teams take
ANSWERS = (0.65, 0.15)  # how often a rival's stop is answered on the next lap, and on the one after
# A stop that is due may wait, for so many laps at most, and so often where the car would come out right behind another.
WAITS_LAPS, TRAFFIC_S, WAITS_FOR_GAP = 4, 1.5, 0.6
GONE_S = 5.0  # what tyres cost a 90 s lap when the pit wall reckons anew, whatever the plan says


def wanted(field: Field, car: Car) -> bool:
    """Whether the car comes in at the end of this lap; settles the tyres it gets."""
    left = field.laps - car.lap
    if car.broken:
        return True
    if left < 1 and not car.damaged:
        return False
    if car.damaged:
        compound, plan = strategy.stopping_now(car.view, max(1, left), car.compounds_used, 0.0)
        car.plan = Plan(plan.cost_s, ((0, compound), *plan.shifted(car.lap).stops))
        return True
    if field.flags.neutralised:
        return _cheap_stop(field, car, left)
    gone = field.tyres.loss(car.compound, car.age) > GONE_S * field.scale
    if gone and _pays(field, car, left, car.view.stop_s, 0.0):
        return True
    due = car.plan.stops[0][0] if car.plan.stops else NOWHERE
    if car.lap >= due:
        return not _waits(field, car, left, car.lap - due)
    if due - car.lap > max(1.0, WINDOW * field.laps) or car.lap <= 1 or _crew_is_busy(field, car):
        return False
    j = field.ahead_on_track(car.index)
    if (
        j >= 0 and field.cars[j].plan.stops
    ):  # stuck behind one that has to stop as well: fresh tyres may win its place
        gap = (field.progress[j] - field.progress[car.index]) * car.pace_s
        if gap < UNDERCUT_S and car.random.random() < ATTACKS:
            return True
    return _answers(car)


def _waits(field: Field, car: Car, left: int, late: float) -> bool:
    """Whether a stop that is due can wait a lap: for the team-mate's, or for a gap to come out in."""
    if left <= 1:
        return False
    if _crew_is_busy(field, car):
        return True
    if late >= WAITS_LAPS:
        return False
    return comes_out_in_traffic(field, car) and car.random.random() < WAITS_FOR_GAP


def _crew_is_busy(field: Field, car: Car) -> bool:
    """Whether the team-mate stops on this lap."""
    return any(
        mate.state != RETIRED and (mate.lane is not None or mate.last_stop_lap == car.lap + 1)
        for mate in field.cars
        if mate.team is car.team and mate is not car
    )


def comes_out_in_traffic(field: Field, car: Car) -> bool:
    """Whether it would come out right behind another car."""
    lap_s = field.track.lap_s
    at = field.progress[car.index] - car.view.stop_s / lap_s
    near = TRAFFIC_S / lap_s
    return any(field.solid[j] and 0.0 < field.progress[j] - at < near for j in field.order)


def _cheap_stop(field: Field, car: Car, left: int) -> bool:
    """Under a safety car a stop costs half: is the race shorter with one now than with the plan as it stands?

    Places count besides the time: those of cars close behind that have no reason to stop, and the wait for the crew
    while it serves the team-mate.
    """
    if car.tyre_laps < 2 and car.compounds_used & (car.compounds_used - 1):
        return False
    stop_s = stop_cost_s(field.track.circuit.race, field.flags.flag, strategy.STANDING_S)
    against = car.random.uniform(0.0, DOUBT_S) + PLACE_S * places_at_risk(field, car, stop_s)
    if _crew_is_busy(field, car):
        against += STACKED_S
    return _pays(field, car, left, stop_s, against)


def _pays(field: Field, car: Car, left: int, stop_s: float, against: float) -> bool:
    """Whether the race is shorter with a stop now, by more than what speaks against it; settles the new plan."""
    stay = strategy.rest_of_race(car.view, left, car.compound, car.age, car.compounds_used)
    compound, plan = strategy.stopping_now(car.view, left, car.compounds_used, stop_s)
    if plan.cost_s + against >= stay.cost_s:
        return False
    car.plan = Plan(plan.cost_s, ((0, compound), *plan.shifted(car.lap).stops))
    return True


def places_at_risk(field: Field, car: Car, stop_s: float) -> int:
    """How many cars are near enough behind to get past, and have had their stops or stopped just now."""
    fresh = FRESH * field.laps
    reach = field.progress[car.index] - stop_s / field.track.lap_s
    behind = (field.cars[j] for j in field.order[field.place[car.index] + 1 :] if field.progress[j] > reach)
    return sum(not other.plan.stops or other.tyre_laps < fresh for other in behind)


def _answers(car: Car) -> bool:
    """The rival behind has come in on the last lap or the one before: stop before its fresh tyres win the place."""
    since = car.lap - car.threatened
    return 1 <= since <= len(ANSWERS) and car.random.random() < ANSWERS[since - 1]


def _threaten(field: Field, car: Car) -> None:
    """The car turns in: the pit wall of the one just ahead has something to answer."""
    j = field.ahead_on_track(car.index)
    if j >= 0 and (field.progress[j] - field.progress[car.index]) * car.pace_s < RIVAL_S:
        field.cars[j].threatened = car.lap


def turn_off(field: Field, car: Car, k: int, at: float, when: float) -> bool:
    """Called at the pits' timing point and again where this flag's lane begins; False: the car stays out."""
    if car.lane is None:
        if not wanted(field, car):
            return False
        car.lane = race_control.lane_for(field, car)
    entry = car.done + car.lane.entry
    if at < entry:
        passing.give_up(field, car)
        field.due[car.index] = entry
        traffic.drive(field, car, k, at, when)
        return True
    _threaten(field, car)
    i = car.index
    car.state, car.mode, car.target, car.boost = LANE, False, -1, 1.0
    field.solid[i], field.hold[i] = False, FREE
    field.rate[i], field.due[i] = car.lane.before_line * STEP_S, car.done + 1.0
    field.tell("pit_in", wording.pit_in(car), car, position=field.place[i] + 1)
    return True


def _box(car: Car, lane: Lane) -> float:
    return car.done + (lane.exit - 1.0) * car.box


def _lane(car: Car) -> Lane:
    if car.lane is None:
        raise RuntimeError(f"{car.code} is in no lane")
    return car.lane


def reach(field: Field, car: Car, at: float, when: float) -> bool:
    """The line, the box or the end of the lane; True where the car stops there."""
    i, lane = car.index, _lane(car)
    if at == car.done + 1.0:
        if laps.line(field, car, when):
            return True
        race_control.lap_begins(field, car)
        field.rate[i], field.due[i] = lane.after_line * STEP_S, _box(car, lane)
        return False
    if at == _box(car, lane) and car.last_stop_lap != car.lap:
        return _stand(field, car, when)
    _leave(field, car, at, when)
    return False


def _stand(field: Field, car: Car, when: float) -> bool:
    i = car.index
    field.rate[i], field.due[i] = 0.0, NOWHERE
    car.last_stop_lap = car.lap
    if car.broken:
        car.state = RETIRED
        place = field.place[i] + 1
        field.tell("retirement", wording.retired_in_pits(car), car, position=place)
        return True
    car.state = BOX
    ready = max(when, field.box_free.get(car.team.name, 0.0))
    done = ready + stationary_s(car)
    field.box_free[car.team.name] = done + CREW_S
    car.owes_s = 0.0
    field.at(done - field.time_s, _release, field, car, when, done)
    return True


def stationary_s(car: Car) -> float:
    """Stopped time: the quickest possible, what the crew adds, and a log-logistic delay with a heavy tail."""
    mean = QUICKEST_S + car.team.crew_s + DELAY_S * (pi / DELAY_SHAPE) / sin(pi / DELAY_SHAPE)
    while True:
        u = car.random.random()
        if u > 0.0:
            time: float = QUICKEST_S + car.team.crew_s + DELAY_S * (u / (1.0 - u)) ** (1.0 / DELAY_SHAPE)
            if time < LONGEST * mean:
                return time


def _release(field: Field, car: Car, stood_from: float, until: float) -> None:
    i, lane = car.index, _lane(car)
    compound = car.plan.stops[0][1] if car.plan.stops else car.compound
    car.plan = Plan(car.plan.cost_s, car.plan.stops[1:])
    car.fit(compound)
    car.cold, car.damaged = True, False
    car.stops += 1
    car.stood_s = until - stood_from
    car.state = LANE
    field.rate[i], field.due[i] = lane.after_line * STEP_S, car.done + lane.exit - 1.0
    # The stop ends within this step: only the rest of it is driven.
    field.progress[i] -= field.rate[i] * (until - field.time_s) / STEP_S


def _leave(field: Field, car: Car, at: float, when: float) -> None:
    i = car.index
    car.state, car.lane = RACING, None
    field.solid[i] = True
    car.pace_s = laps.free_pace(field, car)
    position = field.place[i] + 1
    field.tell("pit_out", wording.pit_out(car, position), car, position=position, value=car.stood_s)
    traffic.follow(field, car, bisect_right(field.track.timing_points, at - car.done) - 1, at, when)
