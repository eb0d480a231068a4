"""Overtaking: who may use overtake mode, who tries to pass where, and what a change of places means."""

from math import exp

from races.sim.race import traffic, wording
from races.sim.race.car import BOX, LANE, RACING, Car
from races.sim.race.field import FREE, Field

MODE_WITHIN_S = 1.0  # of the car ahead at the detection point
TRY_WITHIN_S = 0.95  # from further back nobody dives
MELEE = 0.3  # of a race's only lap: before, places change too often to tell each
CLEAR_S = 0.1  # in front, where a pass is done
MOST_BOOST = 0.10  # of its own pace, over the zone: slipstream, late braking
DUEL_S, PASSED_S = 0.15, 0.3  # lost by both who duel, and by the one who lost
# The advantage in lap time at which half of the tries succeed follows the circuit's published threshold.
THRESHOLD, THRESHOLD_BASE_S = 0.45, 1.21
EVEN_ODDS_WIDTH_S = 0.25
PACK_S = (0.9, 0.8, 0.4, 0.25)  # cold brakes, three abreast, cars out of place: easier on the first laps


def detect(field: Field, car: Car, at: float, when: float) -> None:
    """Within a second of the car ahead at the detection point: extra power until the next detection."""
    gap, ahead = traffic.gap_ahead(field, car, at, when)
    car.mode = ahead >= 0 and gap <= MODE_WITHIN_S and field.flags.mode_allowed(car.lap)


def consider(field: Field, car: Car, at: float, when: float) -> None:
    """Begins a try to pass at the start of a passing zone, if the car is fast enough."""
    gap, j = traffic.gap_ahead(field, car, at, when)
    k = (car.next_point or len(field.track.timing_points)) - 1
    if j < 0 or gap > TRY_WITHIN_S or car.target >= 0:
        return
    if not field.flags.passing_allowed(field.track.to_zone_end[k]):  # not where it would end under yellow
        return
    other = field.cars[j]
    boost = (gap + CLEAR_S) / (field.track.zone[k] * car.pace_s)
    if boost > MOST_BOOST or car.random.random() > odds(field, car, other):
        return
    car.target, car.boost = j, 1.0 + boost
    field.hold[car.index] = FREE
    field.rate[car.index] *= car.boost
    car.owes_s += DUEL_S
    other.owes_s += DUEL_S


def odds(field: Field, car: Car, other: Car) -> float:
    race = field.track.circuit.race
    advantage = other.pace_s - car.pace_s
    if car.mode and not other.mode:
        advantage -= race.overtake_mode_gain_s
    if car.done < len(PACK_S):
        advantage += PACK_S[car.done]
    short = (THRESHOLD_BASE_S + THRESHOLD * race.overtake_gap_s) * field.scale - advantage
    return 1.0 / (1.0 + exp(min(50.0, short / EVEN_ODDS_WIDTH_S)))


def give_up(field: Field, car: Car) -> None:
    if car.target >= 0:
        field.rate[car.index] /= car.boost
        car.target, car.boost = -1, 1.0
        field.hold[car.index] = traffic.follow_s(field, car) / car.pace_s


def call_off(field: Field, sector: int) -> None:
    """A yellow flag: who would still be passing when it comes to that sector stays behind."""
    for car in field.cars:
        k = (car.next_point or len(field.track.timing_points)) - 1
        if car.target >= 0 and sector in field.track.to_zone_end[k]:
            give_up(field, car)


def swapped(field: Field, i: int, j: int) -> None:
    """Car i is in front of car j now."""
    car, other = field.cars[i], field.cars[j]
    if car.target == j:
        give_up(field, car)
        other.owes_s += PASSED_S
    if not (car.state == other.state == RACING):
        return
    give_up(field, other)
    settled = car.done > 0 or (field.laps == 1 and field.progress[i] > MELEE)
    if settled and field.solid[i] and field.solid[j]:
        field.statistics.passes += 1
        car.passed.append(j)
        position = field.place[i] + 1
        field.tell("overtake", wording.overtake(car, other, position), car, other, position)


def opening_lap(field: Field, car: Car) -> None:
    """The melee of the first lap is announced net: one message for each car that has gained places by its end.

    It names the car next behind that had started in front.
    """
    position = field.place[car.index] + 1
    if position >= car.grid:
        return
    for j in field.order[position:]:
        other = field.cars[j]
        if other.grid < car.grid and other.state not in (LANE, BOX):
            message = wording.opening_lap(car, position, car.grid - position)
            field.tell("overtake", message, car, other, position)
            return
