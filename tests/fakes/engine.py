"""A field that tests move step by step, with the incidents they choose."""

from collections.abc import Iterator

from races.sim import RaceSettings
from races.sim.race.car import FINISHED, RETIRED, Car
from races.sim.race.field import Field
from races.sim.race.incident_schedule import Incident
from races.sim.race.motion import step
from races.sim.race.start import line_up


def field_of(seed: int, laps: int = 4, incidents: bool = True, circuit: str = "spielberg") -> Field:
    return line_up(RaceSettings(circuit, laps, 60, seed, incidents))


def steps(field: Field) -> Iterator[None]:
    """Yields before each step and once more when all are home."""
    while any(car.state not in (RETIRED, FINISHED) for car in field.cars):
        yield
        step(field)
        assert field.step < 60_000
    yield


def only(field: Field, *incidents: tuple[int, Incident]) -> None:
    """Nothing goes wrong but these: place on the grid, from 0, and what happens to the car."""
    for car in field.cars:
        car.will_meet([])
    for place, incident in incidents:
        field.cars[field.order[place]].will_meet([incident])


def accident(field: Field, calls: str, laps: int, at: float = 1.4) -> None:
    """Only this happens: the car that starts tenth crashes."""
    only(field, (9, Incident(at, "accident", calls, laps)))


def sector_of(field: Field, car: Car) -> int:
    tau = field.progress[car.index] % 1.0
    return 1 + sum(tau >= end for end in field.track.circuit.sectors_tau)
