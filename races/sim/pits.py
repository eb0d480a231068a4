"""Pit stops: whether to come in, the lane, the stop, and the way out."""

from math import pi, sin

from races.sim import laps, strategy, traffic, wording
from races.sim.car import BOX, LANE, RACING, RETIRED, Car
from races.sim.field import FREE, NOWHERE, Field
from races.sim.settings import STEP_S
from races.sim.strategy import Plan

QUICKEST_S = 1.9
DELAY_S, DELAY_SHAPE = 0.32, 2.1  # log-logistic: median and shape of what goes less than perfectly
LONGEST = 3.0  # times the mean; beyond, it is drawn again
GARAGE_S = 4.0  # a second car waits this long less for the crew than the first one stands
UNDERCUT_S, COVER_S = 2.0, 3.5
WINDOW = 0.09  # of the race: how far a stop may be brought forward to attack or defend
ATTACKS, COVERS = 0.22, 0.75  # shares of the chances that teams take


def wanted(field: Field, car: Car) -> bool:
    """Whether the car comes in at the end of this lap; settles the tyres it gets."""
    left = field.laps - car.lap
    if car.broken:
        return True
    if left < 1 and not car.damaged:
        return False
    if car.damaged:
        return _stop_now(field, car, left)
    if field.control.neutralised:
        return _cheap_stop(field, car, left)
    due = car.plan.stops[0][0] if car.plan.stops else NOWHERE
    if car.lap >= due:
        return True
    if due - car.lap <= max(1.0, WINDOW * field.laps) and car.lap > 1:
        return _undercut(field, car) or _cover(field, car)
    return False


def _stop_now(field: Field, car: Car, left: int) -> bool:
    compound, plan = strategy.stopping_now(car.view, max(1, left), car.compounds_used, 0.0)
    car.plan = Plan(plan.cost_s, ((0, compound), *plan.shifted(car.lap).stops))
    return True


def _cheap_stop(field: Field, car: Car, left: int) -> bool:
    """Under a safety car a stop costs half: is the race shorter with one now than with the plan as it stands?"""
    if car.tyre_laps < 2 and car.compounds_used & (car.compounds_used - 1):
        return False
    race = field.track.circuit.race
    saved = race.pit_loss_s - (
        race.pit_loss_sc_s if field.control.flag == "safety_car" else race.pit_loss_vsc_s
    )
    stay = strategy.rest_of_race(car.view, left, car.compound, car.age, car.compounds_used)
    compound, plan = strategy.stopping_now(car.view, left, car.compounds_used, car.view.stop_s - saved)
    if plan.cost_s + car.random.uniform(0.0, 3.0) >= stay.cost_s:
        return False
    car.plan = Plan(plan.cost_s, ((0, compound), *plan.shifted(car.lap).stops))
    return True


def _undercut(field: Field, car: Car) -> bool:
    """Stuck behind a car that has to stop as well: fresh tyres now may gain its place."""
    j = field.ahead_on_track(car.index)
    if j < 0 or not field.cars[j].plan.stops:
        return False
    gap = (field.progress[j] - field.progress[car.index]) * car.pace_s
    return gap < UNDERCUT_S and car.random.random() < ATTACKS


def _cover(field: Field, car: Car) -> bool:
    """A car from close behind has just come in: stop before its fresh tyres have won the place."""
    for j in field.order[field.place[car.index] + 1 :]:
        other = field.cars[j]
        gap = (field.progress[car.index] - field.progress[j]) * car.pace_s
        if gap > COVER_S + field.track.circuit.race.pit_loss_s + 5.0:
            return False
        if other.stops > car.stops and other.last_stop_lap >= car.lap - 1:
            return car.random.random() < COVERS
    return False


def enter(field: Field, car: Car, when: float) -> None:
    i, lane = car.index, field.track.lane
    car.state, car.mode, car.target, car.boost = LANE, False, -1, 1.0
    field.solid[i], field.hold[i] = False, FREE
    field.rate[i], field.due[i] = lane.before_line * STEP_S, car.done + 1.0
    field.tell("pit_in", wording.pit_in(car), car, position=field.place[i] + 1)


def reach(field: Field, car: Car, at: float, when: float) -> bool:
    """The line, the box or the end of the lane; True where the car stops there."""
    i, lane = car.index, field.track.lane
    if at == car.done + 1.0:
        if laps.line(field, car, when):
            return True
        field.rate[i], field.due[i] = lane.after_line * STEP_S, car.done + car.box_tau
        return False
    if at == car.done + car.box_tau and car.last_stop_lap != car.lap:
        return _stand(field, car, when)
    _leave(field, car, at, when)
    return False


def _stand(field: Field, car: Car, when: float) -> bool:
    i = car.index
    field.rate[i], field.due[i] = 0.0, NOWHERE
    car.last_stop_lap = car.lap
    if car.broken:
        car.state = RETIRED
        field.tell("retirement", wording.retired_in_pits(car), car)
        return True
    car.state = BOX
    ready = max(when, field.box_free.get(car.team.name, 0.0))
    done = ready + stationary_s(car)
    field.box_free[car.team.name] = done + 1.0
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
    i, lane = car.index, field.track.lane
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
    car.state = RACING
    field.solid[i] = True
    car.pace_s = laps.free_pace(field, car)
    position = field.place[i] + 1
    field.tell("pit_out", wording.pit_out(car, position), car, position=position, value=car.stood_s)
    traffic.follow(field, car, field.track.after_pits - 1, at, when)
