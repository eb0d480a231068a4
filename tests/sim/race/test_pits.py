"""What a stop costs under each flag, and who waits for whom."""

from statistics import median

import pytest

from races.models import Race
from races.models.race_info import STANDING_S, info_for
from races.sim import circuit_slugs, load_circuit
from races.sim.circuits.lane import CATCH_UP, QUEUE, VIRTUAL, stop_cost_s
from races.sim.circuits.track import load_track
from races.sim.race import pits, race_control, traffic
from races.sim.race.car import BOX, LANE, RACING, RETIRED, Car
from races.sim.race.field import Field
from races.sim.race.incident_schedule import Incident
from races.sim.race.motion import step
from races.sim.race.strategy import Plan
from tests.fakes.engine import accident, field_of, only, steps

PACES = {"green": 1.0, "vsc": VIRTUAL, "catching_up": CATCH_UP, "queue": QUEUE}


def stop(slug: str, regime: str, monkeypatch: pytest.MonkeyPatch) -> tuple[float, float]:
    """Seconds from turning off to joining again without those spent standing, and those of who stays out."""
    field = field_of(3, 5, incidents=False, circuit=slug)
    stopper = field.cars[field.order[8]]
    lanes = field.track.lanes
    monkeypatch.setattr(pits, "wanted", lambda field, car: car is stopper and not car.stops)
    monkeypatch.setattr(race_control, "lane_for", lambda field, car: getattr(lanes, regime))
    while stopper.state == RACING:
        began = field.time_s
        step(field)
    while stopper.state in (LANE, BOX):
        step(field)
    lane = getattr(lanes, regime)
    on_track = (lane.exit - lane.entry) * field.track.lap_s * PACES[regime]
    return field.time_s - began - stopper.stood_s, on_track


@pytest.mark.parametrize("slug", circuit_slugs())
def test_a_stop_costs_what_is_published(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    race = load_circuit(slug).race
    for regime, published in (
        ("green", race.pit_loss_s),
        ("vsc", race.pit_loss_vsc_s),
        ("catching_up", race.pit_loss_sc_s),
        ("queue", race.pit_loss_sc_s * QUEUE / CATCH_UP),  # as much in gaps, which the slower field stretches
    ):
        with monkeypatch.context() as patch:
            driven, on_track = stop(slug, regime, patch)
        assert driven - on_track == pytest.approx(published, abs=0.5), regime


@pytest.mark.parametrize("slug", circuit_slugs())
def test_the_lanes_keep_to_the_limit(slug: str) -> None:
    track = load_track(slug)
    for lane in (track.lanes.green, track.lanes.vsc, track.lanes.catching_up, track.lanes.queue):
        metres = (lane.exit_share - lane.entry_share) * track.circuit.length_m
        seconds = (1.0 - lane.entry) / lane.before_line + (lane.exit - 1.0) / lane.after_line
        assert metres / seconds * 3.6 <= track.circuit.pit.limit_kmh + 0.5
        assert track.circuit.pit.entry - 1e-9 <= lane.entry_share < 1.0 < lane.exit_share
        assert lane.exit_share <= 1.0 + track.circuit.pit.exit + 1e-9


def test_a_second_counts_less_when_slow() -> None:
    race = load_circuit("spielberg").race
    assert stop_cost_s(race, "green", 2.7) == stop_cost_s(race, "yellow", 2.7) == race.pit_loss_s + 2.7
    assert stop_cost_s(race, "vsc", 2.7) == pytest.approx((race.pit_loss_vsc_s + 2.7) / 1.4)
    assert stop_cost_s(race, "safety_car", 2.7) == pytest.approx((race.pit_loss_sc_s + 2.7) / 1.4)


def test_the_page_knows_the_same_costs() -> None:
    race = load_circuit("suzuka").race
    losses = info_for(Race(circuit="suzuka", laps=9, pace=12, seed=1, driver_code="ANT")).pit_loss_s
    assert losses == {flag: stop_cost_s(race, flag, STANDING_S) for flag in ("green", "vsc", "safety_car")}


@pytest.mark.parametrize("calls", ["vsc", "safety_car"])
@pytest.mark.parametrize("slug", ["spielberg", "suzuka", "spa", "singapore"])
def test_a_stop_under_a_flag_costs_its_gap(slug: str, calls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In progress lost against a car that stays out, from the call to the way out; drivers keep exact distances."""
    monkeypatch.setattr(traffic, "NEUTRAL_SPREAD", 0.0)
    monkeypatch.setattr(traffic, "QUEUE_SPREAD_S", 0.0)
    field = field_of(9, 12, incidents=False, circuit=slug)
    only(field)
    stopper, other = field.cars[field.order[12]], field.cars[field.order[-1]]
    monkeypatch.setattr(pits, "wanted", lambda field, car: car is stopper and car.lap == 2 and not car.stops)
    while stopper.lap < 2 or field.progress[stopper.index] % 1.0 < 0.75:
        step(field)
    race_control.neutralise(field, Incident(0.0, "accident", calls, 8))
    before = field.progress[stopper.index] - field.progress[other.index]
    while not stopper.stops or stopper.state != RACING:
        step(field)
    lost = (before - field.progress[stopper.index] + field.progress[other.index]) * field.track.lap_s
    reckoned = stop_cost_s(field.track.circuit.race, calls, stopper.stood_s)
    assert lost == pytest.approx(reckoned, abs=0.8)


def _stopping_together(field: Field) -> tuple[Car, Car]:
    first = field.cars[field.order[4]]
    return first, next(car for car in field.cars if car.team is first.team and car is not first)


def test_the_team_mate_waits_for_the_crew(monkeypatch: pytest.MonkeyPatch) -> None:
    field = field_of(5, 5, incidents=False)
    first, second = _stopping_together(field)
    monkeypatch.setattr(pits, "wanted", lambda field, car: car.team is first.team and car.lap == 2)
    monkeypatch.setattr(pits, "stationary_s", lambda car: 12.0)
    for _ in steps(field):
        pass
    stood = sorted((first.stood_s, second.stood_s))
    assert stood[0] == pytest.approx(12.0, abs=0.01)
    assert stood[1] > 12.0 + pits.CREW_S


def test_retiring_in_the_pits_has_a_line() -> None:
    field = field_of(1, 5)
    accident(field, "", 0)
    broken = next(car for car in field.cars if car.incidents)
    broken.incidents = [Incident(1.4, "garage")]
    for _ in steps(field):
        pass
    assert broken.state == RETIRED
    told = next(event for event in field.events if event.type == "retirement")
    assert told.driver_code == broken.code and 1 <= told.position <= 22


def test_stops_have_a_long_tail() -> None:
    car = field_of(1, 5, circuit="monza").cars[0]
    times = sorted(pits.stationary_s(car) for _ in range(4000))
    assert times[0] >= pits.QUICKEST_S
    assert 2.1 < median(times) < 3.0
    assert times[-40] > 1.3 * median(times)
    assert times[-1] < 9.0


def test_team_mates_keep_off_the_same_lap() -> None:
    """Both plan to stop on lap 4: the second to come by waits for the next lap."""
    field = field_of(5, 12, incidents=False)
    first, second = _stopping_together(field)
    for car in (first, second):
        car.plan = Plan(0.0, ((4, 1),))
    for _ in steps(field):
        pass
    laps = sorted(car.stints[1][1] for car in (first, second))
    assert laps[0] == 5 and laps[1] > 5


@pytest.mark.parametrize(("answers", "stops_on"), [((1.0,), 6), ((0.0, 1.0), 7), ((0.0, 0.0), 8)])
def test_a_pit_wall_answers_the_car_behind(
    answers: tuple[float, ...], stops_on: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A car comes in on lap 5: the one just ahead, due on lap 8, does so on the next lap, the one after, or not."""
    monkeypatch.setattr(pits, "ANSWERS", answers)
    monkeypatch.setattr(pits, "ATTACKS", 0.0)
    monkeypatch.setattr(pits, "WAITS_FOR_GAP", 0.0)
    field = field_of(5, 60, incidents=False)
    while field.leading_lap() < 5:
        step(field)
    ahead, behind = field.cars[field.order[2]], field.cars[field.order[3]]
    for car in field.cars:
        car.plan = Plan(0.0, ((30, 1),))
    ahead.plan, behind.plan = Plan(0.0, ((8, 1),)), Plan(0.0, ((5, 1),))
    field.progress[behind.index] = field.progress[ahead.index] - 2.0 / field.track.lap_s
    while not ahead.stops:
        step(field)
    assert (behind.last_stop_lap, ahead.last_stop_lap) == (6, stops_on + 1)


def test_dead_tyres_come_off() -> None:
    """Whatever the plan says, and however often the stop has been put off: a lap that is lost is lost once."""
    field = field_of(5, 12, incidents=False)
    car = field.cars[field.order[6]]
    for _ in steps(field):
        if car.lap == 4 and not car.stops:
            car.plan = Plan(0.0, ((10, 2),))
            car.age = 60.0
        if car.stops or car.lap > 5:
            break
    assert field.tyres.loss(car.compound, 60.0) > pits.GONE_S * field.scale
    assert car.stints[-1][1] == 5


def test_fresh_cars_behind_make_a_cheap_stop_dear() -> None:
    """A safety car's stop is worth less where cars that need none would get past."""
    field = field_of(5, 30, incidents=False)
    while field.leading_lap() < 3:
        step(field)
    car = field.cars[field.order[3]]
    everybody = pits.places_at_risk(field, car, 15.0)
    for other in field.cars:
        other.plan, other.tyre_laps = Plan(0.0, ((20, 1),)), 20
    assert pits.places_at_risk(field, car, 15.0) == 0 < everybody


def test_a_car_sees_whom_it_comes_out_behind() -> None:
    field = field_of(5, 30, incidents=False)
    car, other = field.cars[field.order[3]], field.cars[field.order[20]]
    for n, i in enumerate(field.order):
        field.progress[i] = 3.0 - 0.001 * n
    out = field.progress[car.index] - car.view.stop_s / field.track.lap_s
    field.progress[other.index] = out + 0.9 / field.track.lap_s
    assert pits.comes_out_in_traffic(field, car)
    field.progress[other.index] = out - 0.9 / field.track.lap_s
    assert not pits.comes_out_in_traffic(field, car)
