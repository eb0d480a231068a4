"""The getaway: one curve everywhere, the published losses over the first lap, and what the first corners cost."""

from statistics import mean

import pytest

from races.sim import circuit_slugs
from races.sim.circuits.track import SLOT_M
from races.sim.race import traffic
from races.sim.race.car import Car
from races.sim.race.field import Field
from races.sim.race.motion import step
from races.sim.race.standing_start import first_lap_s, loss
from races.sim.settings import STEP_S
from tests.fakes.engine import field_of


def alone(circuit: str, owes_s: float = 0.0) -> tuple[Field, Car]:
    """Pole, with nobody near it."""
    field = field_of(4, 3, incidents=False, circuit=circuit)
    car = field.cars[field.order[0]]
    car.owes_s = owes_s
    for other in field.order[1:]:
        field.progress[other] -= 0.5
    return field, car


def first_lap_ms(field: Field, car: Car) -> int:
    while car.done < 1:
        step(field)
    return car.last_ms or 0


def kmh_by_second(circuit: str) -> list[float]:
    """The speed of the car on pole, each second after lights out."""
    field, car = alone(circuit)
    table, at = field.track.circuit, []
    for _ in range(round(6.0 / STEP_S)):
        before = field.progress[car.index]
        step(field)
        moved = field.progress[car.index] - before
        at.append(table.speed_kmh((before + moved / 2) % 1.0, STEP_S / max(1e-9, moved)))
    return at[4::5]


def test_the_getaway_is_the_same_everywhere() -> None:
    curves = [kmh_by_second(slug) for slug in circuit_slugs()]
    for curve in curves:
        assert curve[:4] == pytest.approx(curves[0][:4], abs=12.0)  # reactions differ by no more than 0.3 s
        assert 85 < curve[2] < 110  # after 3 s, reaction included
        assert 185 < curve[5] < 235 or curve[5] < 1.1 * curve[4]  # or the first corner has come


@pytest.mark.parametrize("slug", circuit_slugs())
def test_the_first_lap_costs_its_time(slug: str) -> None:
    field, car = alone(slug)
    race = field.track.circuit.race
    flying = car.pace_s - first_lap_s(field.track, 1)
    assert first_lap_ms(field, car) / 1000 - flying == pytest.approx(race.first_lap_loss_s, abs=1.0)


@pytest.mark.parametrize("slug", circuit_slugs())
def test_a_grid_place_costs_its_time(slug: str) -> None:
    """The way to the place in front, and the rest over the lap."""
    track = field_of(1, 2, circuit=slug).track
    rest = (first_lap_s(track, 11) - first_lap_s(track, 1)) / 10 * (1.0 - loss(track)[1])
    way = track.per_metre * SLOT_M * track.lap_s
    assert way + rest == pytest.approx(track.circuit.race.grid_loss_s, abs=0.001)


@pytest.mark.parametrize("slug", circuit_slugs())
def test_time_lost_in_turn_one_stays_lost(slug: str) -> None:
    smooth, rough = (first_lap_ms(*alone(slug, owes)) / 1000 for owes in (0.0, 3.0))
    assert rough - smooth == pytest.approx(3.0, abs=0.35)


def test_reactions_change_places_off_the_line() -> None:
    """Nobody queues before the first corner, so that a slow start costs places."""
    changed = []
    for seed in range(8):
        field = field_of(seed, 2, incidents=False, circuit="monza")
        for _ in range(25):
            step(field)
        grid = [field.cars[i].grid for i in field.order]
        changed.append(sum(place != n for n, place in enumerate(grid, start=1)))
    assert 2 < mean(changed) < 20


def test_a_flag_forgives_no_time_owed() -> None:
    field, car = alone("spielberg", 6.0)
    for _ in range(60):
        step(field)
    way = field.due[car.index] - field.progress[car.index]
    owed = car.owes_s + car.losing * way
    for _ in range(20):
        traffic.drive_anew(field, car)
        assert car.owes_s + car.losing * way == pytest.approx(owed)
