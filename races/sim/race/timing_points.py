"""What happens where a racing car reaches a timing point of the lap."""

from races.sim.circuits.track import (
    DETECTION,
    FIRST_SECTOR,
    LINE,
    PASSING_ENDS,
    PASSING_STARTS,
    PIT_ENTRY,
    SECOND_SECTOR,
)
from races.sim.race import incidents, laps, passing, pits, race_control, traffic
from races.sim.race.car import Car
from races.sim.race.field import Field


def reach(field: Field, car: Car, at: float, when: float) -> bool:
    """Do what this timing point asks for; True where the car goes no further in this step."""
    track, k = field.track, car.next_point
    kinds = track.kinds[k]
    if kinds & LINE:
        if laps.line(field, car, when):
            return True
        race_control.lap_begins(field, car)
    if kinds & PIT_ENTRY and pits.turn_off(field, car, k, at, when):
        return False
    traffic.follow(field, car, k, at, when)
    if kinds & FIRST_SECTOR:
        laps.sector(car, 0, when)
    if kinds & SECOND_SECTOR:
        laps.sector(car, 1, when)
    if kinds & DETECTION:
        passing.detect(field, car, at, when)
    if kinds & PASSING_ENDS:
        passing.give_up(field, car)
    if kinds & PASSING_STARTS:
        passing.consider(field, car, at, when)
    if at >= car.incident_at:
        incidents.strike(field, car)
    return False
