"""How fast a car goes from one timing point to the next, with the others around it."""

from races.sim.race.car import Car
from races.sim.race.field import Field
from races.sim.settings import STEP_S

# Lost a lap in corners in the wake of another car: so much at one second, falling with that power of the distance,
# at most so much, and nothing further back. No wall holds a car back: it settles where what the wake takes is what
# its own pace, slipstream and overtake mode give.
WAKE_S, WAKE_POWER, WAKE_MOST_S, WAKE_WITHIN_S = 0.96, 1.6, 6.0, 4.0
TOW_S, TOW_WITHIN_S = 0.30, 1.6  # won a lap on the straights right behind another car, and how far it reaches
# The least time between two cars; after the start, and when the first corners have drawn the pack out, by this
# share of the first lap. Each driver has his own, by the room that he leaves on this lap.
FOLLOW_S, START_FOLLOW_S, PACK_FOLLOW_S, PACK_DRAWN_OUT = 0.2, 0.14, 0.34, 0.4
# Behind a safety car: the usual distance, the least, how much of a difference is made good on each stretch, sigma.
QUEUE_S, QUEUE_LEAST_S, QUEUE_RETURNS, QUEUE_SPREAD_S = 0.8, 0.4, 0.15, 0.09
NEUTRAL_SPREAD = 0.006  # sigma of a stretch's time under a neutralisation: drivers keep a set pace by hand
DROP_BACK = 0.94  # of the pace of the car ahead, for a car nearer to it than it may be
LIMPING = 1.25  # lap time with a puncture or a sick engine
STRICKEN_S = 1.5  # a car that has this much to lose is passed by everybody, as a limping one is
YELLOW = 1.1  # lap time under a yellow flag
# Of what a car has to lose, PAID goes on each stretch, within these shares of the stretch's time.
PAID, LEAST_LOSS, MOST_LOSS = 0.35, 0.03, 0.5
BLUE_WITHIN_S = 1.2
BLUE_S, LAPPING_S = 0.35, 0.08  # lost by the car that is lapped, and by the one that laps it


def follow(field: Field, car: Car, k: int, at: float, when: float) -> None:
    """Drive on from timing point k to the next; `at` is where the car is: there, or beyond it out of the pits."""
    points = field.track.timing_points
    car.next_point = point = k + 1 if k + 1 < len(points) else 0
    field.due[car.index] = car.done + (points[point] if point else 1.0)
    drive(field, car, k, at, when)


def drive(field: Field, car: Car, k: int, at: float, when: float) -> None:
    """Set the rate from `at`, on the stretch after timing point k, to what is due next."""
    flags, i = field.flags, car.index
    if flags.lap_s:
        lap = flags.neutral_lap_s(i, field.track.lap_s) * (1.0 + car.random.gauss(0.0, NEUTRAL_SPREAD))
        drift = QUEUE_RETURNS * (QUEUE_S - car.queue_s) + car.random.gauss(0.0, QUEUE_SPREAD_S)
        car.queue_s = max(QUEUE_LEAST_S, car.queue_s + drift)
    else:
        lap = car.pace_s + _others(field, car, k, at, when)
        if field.track.sector[k] in flags.clear_at:
            lap *= YELLOW
        slow = car.damaged or car.broken
        if slow:
            lap *= LIMPING
        field.solid[i] = not slow and car.owes_s < STRICKEN_S
    if car.target < 0:
        field.hold[i] = follow_s(field, car) / lap
    # seconds a lap that the car loses of what it owes, on the way to the next timing point
    way = field.due[i] - at
    car.losing = 0.0
    if car.owes_s > 0.0 < way and not car.launching:
        seconds = lap * way
        lost = min(MOST_LOSS * seconds, max(LEAST_LOSS * seconds, PAID * car.owes_s), car.owes_s)
        car.owes_s -= lost
        car.losing = lost / way
    lap += car.losing
    car.cruise = field.rate[i] = car.boost * STEP_S / lap


def drive_anew(field: Field, car: Car) -> None:
    """Set the rate anew between two timing points: what was to be lost on the rest of the way is owed again."""
    i = car.index
    at = field.progress[i]
    car.owes_s += car.losing * (field.due[i] - at)
    drive(field, car, (car.next_point or len(field.track.timing_points)) - 1, at, field.time_s)


def follow_s(field: Field, car: Car) -> float:
    if field.flags.queue:
        return car.queue_s
    if car.done:
        return FOLLOW_S * car.margin
    drawn_out = min(1.0, max(0.0, field.progress[car.index]) / PACK_DRAWN_OUT)
    return (START_FOLLOW_S + (PACK_FOLLOW_S - START_FOLLOW_S) * drawn_out) * car.margin


def gap_ahead(field: Field, car: Car, at: float, when: float) -> tuple[float, int]:
    """Seconds to the next car up the order on the track, and which; the car itself is at `at`, mid-step."""
    j = field.ahead_on_track(car.index)
    if j < 0:
        return 1e9, -1
    return (field.progress[j] - at) * car.pace_s - ((field.step + 1) * STEP_S - when), j


def _others(field: Field, car: Car, k: int, at: float, when: float) -> float:
    """Seconds a lap that traffic costs on this stretch; negative in a slipstream or with overtake mode."""
    track = field.track
    loss = 0.0
    gap, _ = gap_ahead(field, car, at, when)
    if track.towing[k]:
        if car.mode:
            loss += track.circuit.race.overtake_mode_gain_s
        if gap < TOW_WITHIN_S:
            loss -= TOW_S * field.scale * (1.0 - max(0.0, gap) / TOW_WITHIN_S)
        loss /= track.towing_share
    elif gap < WAKE_WITHIN_S:
        near = max(0.1, gap) / car.margin
        loss = field.scale * min(WAKE_MOST_S, WAKE_S / near**WAKE_POWER) / (1.0 - track.towing_share)
    if field.place[car.index] and field.progress[field.order[0]] - at > 0.9:
        # blue flags: a car about to be lapped makes room; the one behind it is hardly held up
        window = BLUE_WITHIN_S / car.pace_s
        for j in field.order[: field.place[car.index]]:
            lead = field.progress[j] - at
            if lead > 0.5 and -lead % 1.0 < window and field.solid[j]:
                lapping = round(lead)
                if field.lapped.get((car.index, j)) != lapping:
                    field.lapped[car.index, j] = lapping
                    car.owes_s += BLUE_S
                    field.cars[j].owes_s += LAPPING_S
    return loss
