"""The speed along a lap, the tables between time and distance, and what is read off them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.sim.circuits.circuit import TABLE, Circuit, load_circuit
from races.sim.circuits.geometry import stations
from races.sim.circuits.speed import Car, elapsed, profile, racing_line
from tests.sim.circuits.published import PUBLISHED, every_circuit

G = 9.81
circuits = st.sampled_from(list(PUBLISHED)).map(load_circuit)
shares = st.floats(0, 1)


@given(circuits, shares, shares)
def test_distance_rises_with_time(circuit: Circuit, one: float, other: float) -> None:
    first, later = sorted((one, other))
    assert circuit.distance_share(first) <= circuit.distance_share(later)
    assert circuit.tau(first) <= circuit.tau(later)


@given(circuits, shares)
def test_time_and_distance_are_inverse(circuit: Circuit, share: float) -> None:
    assert circuit.tau(circuit.distance_share(share)) == pytest.approx(share, abs=2e-4)
    assert circuit.distance_share(circuit.tau(share)) == pytest.approx(share, abs=2e-4)


@given(circuits, st.integers(0, TABLE - 1), st.floats(60, 200))
def test_speed_is_the_growth_of_distance(circuit: Circuit, k: int, lap_s: float) -> None:
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
def test_braking_and_pulling_are_an_f1_cars(circuit: Circuit) -> None:
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
def test_known_corners_have_their_speed(slug: str, turn: int, low: float, high: float) -> None:
    circuit = load_circuit(slug)
    before = 0.0
    for segment in circuit.segments:
        if segment.turn == turn:
            break
        before += segment.length
    ends = before / circuit.length_m, (before + segment.length) / circuit.length_m
    inside = [circuit.tau(ends[0] + (ends[1] - ends[0]) * n / 20) for n in range(21)]
    assert low < min(circuit.speed_kmh(tau, circuit.model_lap_s) for tau in inside) < high


def test_monzas_braking_is_the_brake_makers() -> None:
    monza = load_circuit("monza")
    speeds = [monza.speed_kmh(monza.tau(n / 5793), monza.model_lap_s) for n in range(700)]
    fast = max(n for n in range(640) if speeds[n] > 325)
    slow = next(n for n in range(fast, 700) if speeds[n] < 95)
    assert 95 < slow - fast < 150  # 122 m from 334 to 89 km/h


def test_grip_and_drag_change_the_lap() -> None:
    monza = load_circuit("monza")
    line = stations(monza.segments, 0.0, 640)
    step = monza.length_m / len(line)

    def lap(car: Car) -> tuple[float, float]:
        speeds = profile(racing_line(line, step, car.width_m), step, car)
        return elapsed(speeds, step)[-1], max(speeds)

    base, grippy, slick = (Car(g, d, 6.0) for g, d in ((1.0, 340.0), (1.1, 340.0), (1.0, 360.0)))
    assert lap(grippy)[0] < lap(base)[0]
    assert lap(slick)[1] > lap(base)[1]
