"""The speed along a lap, the tables between time and distance, and what is read off them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.sim.circuits.circuit import TABLE, Circuit, Zone, load_circuit
from races.sim.circuits.geometry import stations
from races.sim.circuits.speed import Car, elapsed, profile, racing_line
from races.sim.circuits.zones import passing, straights
from tests.sim.test_circuit import PUBLISHED, every_circuit

G = 9.81
circuits = st.sampled_from(list(PUBLISHED)).map(load_circuit)
shares = st.floats(0, 1)


@given(circuits, shares, shares)
def test_distance_rises_with_time(circuit: Circuit, one: float, other: float) -> None:
    first, later = sorted((one, other))
    assert circuit.distance_share(first) <= circuit.distance_share(later)
    assert circuit.tau(first) <= circuit.tau(later)


@given(circuits, shares)
def test_time_and_distance_are_each_others_inverse(circuit: Circuit, share: float) -> None:
    assert circuit.tau(circuit.distance_share(share)) == pytest.approx(share, abs=2e-4)
    assert circuit.distance_share(circuit.tau(share)) == pytest.approx(share, abs=2e-4)


@given(circuits, st.integers(0, TABLE - 1), st.floats(60, 200))
def test_speed_is_how_fast_the_distance_grows(circuit: Circuit, k: int, lap_s: float) -> None:
    tau, next_ = k / TABLE, (k + 1) / TABLE
    around = [circuit.speed_kmh((k + n) % TABLE / TABLE, lap_s) for n in (-1, 0, 1, 2)]
    metres = (circuit.distance_share(next_) - circuit.distance_share(tau)) * circuit.length_m
    mean = metres / ((next_ - tau) * lap_s) * 3.6
    assert min(around) * 0.95 <= mean <= max(around) * 1.05


@every_circuit
def test_a_lap_begins_and_ends_at_the_line(circuit: Circuit) -> None:
    for table in (circuit.distance_by_tau, circuit.tau_by_distance):
        assert table[0] == 0.0
        assert table[-1] == pytest.approx(1.0)
    assert circuit.speed_by_tau[0] == pytest.approx(circuit.speed_by_tau[-1], rel=0.01)


@every_circuit
def test_the_car_brakes_and_pulls_no_harder_than_a_grand_prix_car(circuit: Circuit) -> None:
    seconds = circuit.model_lap_s / TABLE
    changes = [(b - a) / 3.6 / seconds / G for a, b in pairwise(circuit.speed_by_tau)]
    assert min(changes) > -6.5
    assert max(changes) < 2.2
    assert 40 < circuit.slowest_kmh < 100


@pytest.mark.parametrize(
    ("slug", "turn", "low", "high"),
    [
        ("monaco", 6, 40, 55),  # the hairpin: 45 km/h in published telemetry
        ("montreal", 10, 52, 70),  # 60
        ("miami", 17, 52, 72),  # 60
        ("monza", 1, 70, 105),  # the brake maker's 88 or 89
        ("spa", 1, 50, 80),
        ("suzuka", 11, 55, 80),
        ("silverstone", 9, 245, 310),  # Copse: 290
        ("suzuka", 15, 285, 320),  # 130R, all but flat
    ],
)
def test_known_corners_are_as_fast_as_they_are_known(slug: str, turn: int, low: float, high: float) -> None:
    circuit = load_circuit(slug)
    before = 0.0
    for segment in circuit.segments:
        if segment.turn == turn:
            break
        before += segment.length
    ends = before / circuit.length_m, (before + segment.length) / circuit.length_m
    inside = [circuit.tau(ends[0] + (ends[1] - ends[0]) * n / 20) for n in range(21)]
    assert low < min(circuit.speed_kmh(tau, circuit.model_lap_s) for tau in inside) < high


def test_monza_is_braked_for_in_the_distance_that_the_brake_maker_measured() -> None:
    monza = load_circuit("monza")
    speeds = [monza.speed_kmh(monza.tau(n / 5793), monza.model_lap_s) for n in range(700)]
    fast = max(n for n in range(640) if speeds[n] > 325)
    slow = next(n for n in range(fast, 700) if speeds[n] < 95)
    assert 95 < slow - fast < 150  # 122 m from 334 to 89 km/h


def test_more_grip_is_a_faster_lap_and_less_drag_a_higher_top_speed() -> None:
    monza = load_circuit("monza")
    line = stations(monza.segments, 0.0, 640)
    step = monza.length_m / len(line)

    def lap(car: Car) -> tuple[float, float]:
        speeds = profile(racing_line(line, step, car.width_m), step, car)
        return elapsed(speeds, step)[-1], max(speeds)

    base, grippy, slick = (Car(g, d, 6.0) for g, d in ((1.0, 340.0), (1.1, 340.0), (1.0, 360.0)))
    assert lap(grippy)[0] < lap(base)[0]
    assert lap(slick)[1] > lap(base)[1]


@every_circuit
def test_passing_and_towing_happen_on_straights_before_corners(circuit: Circuit) -> None:
    assert 1 <= len(circuit.overtaking) <= 4
    assert circuit.slipstream
    for zone in circuit.overtaking:
        into = circuit.speed_kmh(zone.end_tau, circuit.model_lap_s)
        fastest = max(circuit.speed_kmh(tau, circuit.model_lap_s) for tau in _within(zone))
        assert fastest - into > 75
    for zone in circuit.slipstream:
        assert min(circuit.speed_kmh(tau, circuit.model_lap_s) for tau in _within(zone)) > 190


def _within(zone: Zone) -> list[float]:
    span = (zone.end_tau - zone.start_tau) % 1.0
    return [(zone.start_tau + span * n / 20) % 1.0 for n in range(21)]


@every_circuit
def test_zones_say_the_same_in_time_and_in_distance(circuit: Circuit) -> None:
    for zone in (*circuit.overtaking, *circuit.slipstream):
        assert circuit.tau(zone.start) == pytest.approx(zone.start_tau, abs=1e-3)
        assert circuit.tau(zone.end) == pytest.approx(zone.end_tau, abs=1e-3)
    assert circuit.tau(circuit.detection) == pytest.approx(circuit.detection_tau, abs=1e-3)
    assert 0 < circuit.sectors[0] < circuit.sectors[1] < 1
    assert circuit.distance_share(circuit.sectors_tau[0]) == pytest.approx(circuit.sectors[0], abs=1e-3)


@given(circuits, shares)
def test_a_zone_holds_what_lies_between_its_ends_across_the_line_too(circuit: Circuit, tau: float) -> None:
    for zone in circuit.overtaking:
        start, end = zone.start_tau, zone.end_tau
        expected = start <= tau <= end if start <= end else tau >= start or tau <= end
        if min(abs(tau - start), abs(tau - end)) > 1e-9 and tau < 1:
            assert zone.contains_tau(tau) == expected


def test_passing_takes_the_longest_pull_where_no_braking_is_heavy() -> None:
    speeds = [50.0] * 20 + [50 + n for n in range(15)] + [65 - n for n in range(15)]
    pulls = straights(speeds, 5.0)
    assert len(pulls) == 1
    assert len(passing(pulls, len(speeds))) == 1
