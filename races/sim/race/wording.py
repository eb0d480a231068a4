"""Race control's messages, worded as the sport does."""

from races.sim.race.car import Car
from races.sim.race.tyres import COMPOUNDS


def clock(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest / 1000:06.3f}"


def number(car: Car) -> str:
    return f"CAR {car.driver.number} ({car.code})"


def fastest_lap(car: Car, lap_ms: int) -> str:
    return f"FASTEST LAP {number(car)} {clock(lap_ms)}"


def overtake(car: Car, other: Car, position: int) -> str:
    return f"{number(car)} OVERTAKES {number(other)} FOR P{position}"


def opening_lap(car: Car, position: int, gained: int) -> str:
    places = "1 PLACE" if gained == 1 else f"{gained} PLACES"
    return f"{number(car)} GAINS {places} ON THE OPENING LAP: P{position}"


def pit_in(car: Car) -> str:
    return f"{number(car)} INTO THE PIT LANE"


def pit_out(car: Car, position: int) -> str:
    tyre = COMPOUNDS[car.compound].name
    return f"{number(car)} PIT EXIT P{position} - {tyre} - STOPPED {car.stood_s:.1f} S"


def retired_in_pits(car: Car) -> str:
    return f"{number(car)} RETIRES IN THE PITS"


def stopped_on_track(car: Car, sector: int, why: str) -> str:
    return f"{number(car)} STOPPED IN SECTOR {sector} - {why}"


def off_track(car: Car, sector: int) -> str:
    return f"{number(car)} OFF TRACK AND CONTINUED IN SECTOR {sector}"


def mistake(car: Car, turn: int) -> str:
    return f"{number(car)} RUNS WIDE AT TURN {turn}"


def finish(car: Car, position: int) -> str:
    return f"{number(car)} TAKES THE CHEQUERED FLAG - P{position}"
