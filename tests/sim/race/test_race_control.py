"""What flags allow: nobody passes under them, each incident has its own, and the last one stays."""

import pytest

from races.sim import circuit_slugs
from races.sim.circuits.track import PASSING_ENDS, PASSING_STARTS, load_track
from races.sim.race import pits, race_control
from races.sim.race.car import RACING
from races.sim.race.field import Field
from races.sim.race.incident_schedule import Incident
from races.sim.race.motion import step
from races.sim.race.passing import consider
from races.sim.settings import STEP_S
from tests.fakes.engine import accident, field_of, only, sector_of, steps


def kinds(field: Field) -> list[str]:
    return [event.type for event in field.events]


@pytest.mark.parametrize("slug", circuit_slugs())
def test_a_zone_into_a_yellow_is_closed(slug: str) -> None:
    field, track = field_of(1, circuit=slug, incidents=False), load_track(slug)
    for start in (k for k, kind in enumerate(track.kinds) if kind & PASSING_STARTS):
        touched, k = {track.sector[start]}, (start + 1) % len(track.kinds)
        while not track.kinds[k] & PASSING_ENDS:
            touched.add(track.sector[k])
            k = (k + 1) % len(track.kinds)
        for sector in (1, 2, 3):
            field.flags.clear_at = {sector: 10**6}
            assert field.flags.passing_allowed(track.to_zone_end[start]) == (sector not in touched)


@pytest.mark.parametrize("slug", circuit_slugs())
def test_nobody_passes_in_a_yellow_sector(slug: str) -> None:
    """Each sector in turn, for twenty seconds; cars that crawl may be passed, and are not told as overtaken."""
    field = field_of(3, 7, circuit=slug, incidents=False)
    passes = 0
    while field.winner < 0:
        if field.step % 100 == 50:
            race_control.yellow(field, 1 + field.step // 100 % 3, "TEST", field.cars[0], 20.0)
        yellow, told, by = set(field.flags.clear_at), len(field.events), field.statistics.passes
        step(field)
        if field.statistics.passes > by:
            passes += 1
            on_track = [e for e in field.events[told:] if e.type == "overtake" and "OVERTAKES" in e.message]
            movers = [car for car in field.cars if car.code in {e.driver_code for e in on_track}]
            assert all(sector_of(field, car) not in yellow for car in movers)
    assert passes or slug != "silverstone"  # where passing is easy: the race had something to see


def passing(field: Field) -> None:
    """Steps until some car is on its way past another."""
    for _ in steps(field):
        if any(car.target >= 0 for car in field.cars):
            return


def test_a_yellow_calls_off_passes() -> None:
    field = field_of(1, 6, incidents=False)
    passing(field)
    car = next(car for car in field.cars if car.target >= 0)
    race_control.yellow(field, sector_of(field, car), "TEST", field.cars[0])
    assert (car.target, car.boost) == (-1, 1.0)
    assert field.rate[car.index] == pytest.approx(car.cruise)
    assert field.hold[car.index] > 0.0


def test_a_pass_that_fails_ends_with_its_zone() -> None:
    field = field_of(1, 20, incidents=False)
    failed = 0
    while field.winner < 0 and failed < 30:
        trying = [car for car in field.cars if car.target >= 0]
        step(field)
        for car in trying:
            if car.target < 0 and car.state == RACING:
                failed += 1
                assert car.boost == 1.0
                assert field.rate[car.index] < 1.06 * STEP_S / car.pace_s  # a tow and overtake mode, no more
    assert failed > 5


def test_two_incidents_have_two_yellows() -> None:
    field = field_of(1, 6)
    only(field)
    flags, car = field.flags, field.cars[0]
    for _ in range(50):
        step(field)
    race_control.yellow(field, 1, "ONE", car, 10.0)
    step(field)
    race_control.yellow(field, 3, "TWO", car, 20.0)
    assert (flags.flag, flags.yellow_sector, set(flags.clear_at)) == ("yellow", 3, {1, 3})
    for _ in range(52):
        step(field)
    assert (flags.flag, flags.yellow_sector, set(flags.clear_at)) == ("yellow", 3, {3})
    for _ in range(50):
        step(field)
    assert (flags.flag, flags.yellow_sector) == ("green", 0)
    assert kinds(field).count("yellow") == 2 and kinds(field).count("green") == 1


def test_a_later_call_never_shortens_a_yellow() -> None:
    field = field_of(1, 6)
    only(field)
    flags, car = field.flags, field.cars[0]
    race_control.yellow(field, 2, "ONE", car, 30.0)
    for _ in range(50):
        step(field)
    race_control.yellow(field, 2, "TWO", car, 5.0)
    for _ in range(50):
        step(field)
    assert flags.flag == "yellow"
    race_control.yellow(field, 2, "THREE", car, 40.0)
    for _ in range(100):
        step(field)
    assert flags.flag == "yellow" and kinds(field).count("green") == 0
    for _ in range(110):
        step(field)
    assert flags.flag == "green" and kinds(field).count("green") == 1


def test_the_chequered_flag_is_the_last() -> None:
    for at in (2.5, 2.6, 2.7, 2.78, 2.85):
        field = field_of(1, 4)
        accident(field, "vsc", 1, at=at)
        shown: list[str] = []
        for _ in steps(field):
            if shown[-1:] != [field.flags.flag]:
                shown.append(field.flags.flag)
        assert shown[-1] == "chequered" and shown.count("chequered") == 1
        told = kinds(field)
        assert not {"green", "yellow", "vsc", "vsc_ending"} & set(told[told.index("chequered") :])


def behind_the_leader(field: Field) -> list[int]:
    """Cars on the road, from the leader backwards, of whatever lap."""
    lead = field.progress[field.leader()]
    cars = [i for i in field.order if field.solid[i] and field.cars[i].state == RACING]
    return sorted(cars, key=lambda i: (lead - field.progress[i]) % 1.0)


def test_lapped_cars_queue_until_let_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pits, "wanted", lambda field, car: False)
    field = field_of(2, 50, circuit="monaco")
    only(field, (9, Incident(39.4, "accident", "safety_car", 5)))
    slow = [field.cars[i] for i in field.order[-3:]]
    for n, car in enumerate(slow):
        car.ability_s += 1.6 + 0.6 * n
    before: list[int] = []
    down: dict[int, float] = {}
    spread: list[float] = []
    for _ in steps(field):
        if field.flags.flag != "safety_car":
            if before:
                break
            continue
        now = behind_the_leader(field)
        waved = "lapped_cars" in kinds(field)
        if before and not waved:
            assert now == before
        if waved and not down:
            lead = field.progress[field.leader()]
            down = {car.index: lead - field.progress[car.index] for car in field.cars}
        before = now
        queue = [field.progress[i] for i in now if down.get(i, 0.0) < 1.0]
        spread.append(max(queue) - min(queue))
    lead = field.progress[field.leader()]
    lapped = [car for car in field.cars if down[car.index] >= 1.0 and car.state == RACING]
    assert len(lapped) >= 2
    assert all(down[car.index] - (lead - field.progress[car.index]) > 0.35 for car in lapped)
    assert kinds(field).count("lapped_cars") == 1
    assert spread[-1] < 0.5 * spread[0]


def test_no_lapped_cars_no_word_of_them() -> None:
    field = field_of(1, 12)
    accident(field, "safety_car", 4, at=2.4)
    for _ in steps(field):
        pass
    assert "safety_car" in kinds(field) and "lapped_cars" not in kinds(field)


def test_under_yellow_no_car_tries() -> None:
    field = field_of(1, 6, incidents=False)
    passing(field)
    car = next(car for car in field.cars if car.target >= 0)
    race_control.yellow(field, sector_of(field, car), "TEST", field.cars[0])
    consider(field, car, field.progress[car.index], field.time_s)
    assert car.target == -1
