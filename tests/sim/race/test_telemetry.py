from itertools import pairwise
from math import sin
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from races.sim import Race, RaceSettings
from races.sim.faults import FaultKind, InjectedFault
from races.sim.race.telemetry import AMBIENT_C, IDLE_HEAT, LoadProfile, Telemetry

# Ten corners of 80 to 200 km/h with straights between them, 5.4 km.
SPEEDS = [80 + 60 * (sin(cell / 50) + 1) + 120 * abs(sin(cell * 3.1416 / 50)) for cell in range(500)]
LENGTH = 5400.0
CODES = ["AAA", "BBB", "CCC"]
SECONDS = 2.4
LAP_S = LoadProfile(SPEEDS, LENGTH).lap_s


def drive(
    telemetry: Telemetry,
    ticks: int,
    *,
    speed: float = 1.0,
    gap: float | None = None,
    stops_at: int | None = None,
    first: int = 0,
) -> list[float]:
    """Readings of AAA at an even share of the lap's mean speed; it stops with its engine off at a tick."""
    readings = []
    for tick in range(first, first + ticks):
        moved = min(tick, stops_at or tick) * SECONDS / LAP_S * speed
        runs = stops_at is None or tick < stops_at
        readings.append(telemetry.sample(tick, [("AAA", moved, gap if runs else None, runs)])["AAA"])
    return readings


def field(*faults: InjectedFault, seed: int = 3) -> Telemetry:
    return Telemetry(seed, CODES, SECONDS, SPEEDS, LENGTH, faults)


def fault(kind: FaultKind, size: float, start: int = 200, end: int = 300) -> InjectedFault:
    return InjectedFault("AAA", kind, start, end, size)


def test_the_same_seed_reads_the_same() -> None:
    assert drive(field(), 300) == drive(field(), 300)
    assert drive(field(), 300) != drive(field(seed=4), 300)


def test_one_car_changes_no_others_readings() -> None:
    alone, followed = field(), field()
    for tick in range(50):
        at = tick * SECONDS / LAP_S
        one = alone.sample(tick, [("AAA", at, None, True), ("BBB", at - 0.01, 5.0, True)])
        two = followed.sample(tick, [("AAA", at, None, True), ("BBB", at - 0.01, 0.5, True)])
        assert one["AAA"] == two["AAA"]


@pytest.mark.parametrize("seed", range(8))
def test_readings_breathe_within_their_band(seed: int) -> None:
    clean, followed = drive(field(seed=seed), 500)[100:], drive(field(seed=seed), 500, gap=0.7)[100:]
    assert 105 < min(clean) < max(clean) < 121
    assert 107 < min(followed) < max(followed) < 125
    assert max(clean) - min(clean) > 1


def test_following_closely_heats() -> None:
    clean = mean(drive(field(), 500)[200:])
    assert 2 < mean(drive(field(), 500, gap=0.5)[200:]) - clean < 6
    assert mean(drive(field(), 500, gap=5.0)[200:]) == pytest.approx(clean)
    assert mean(drive(field(), 500, speed=0.6)[200:]) < clean - 6


def test_an_engine_off_cools_over_minutes() -> None:
    readings = drive(field(), 4000, stops_at=100)
    after = readings[100:]
    assert after[0] - after[25] < 12, "a minute later it is still hot"
    assert after[-1] < 40
    assert min(after) > AMBIENT_C[0] - 2
    assert readings[:100] == drive(field(), 100)


def test_a_leak_ramps_to_its_size_and_stays() -> None:
    clean, leaking = drive(field(), 500), drive(field(fault("leak", 10.0)), 500)
    rise = [hot - normal for hot, normal in zip(leaking, clean, strict=True)]
    assert not any(rise[:200])
    assert mean(rise[240:260]) == pytest.approx(4, abs=1.5)
    assert mean(rise[440:]) == pytest.approx(10, abs=0.5)


def test_a_blocked_radiator_shows_in_traffic() -> None:
    def rise(gap: float | None) -> float:
        blocked = drive(field(fault("blocked_radiator", 10.0)), 300, gap=gap)
        return mean(blocked[260:]) - mean(drive(field(), 300, gap=gap)[260:])

    assert rise(0.5) == pytest.approx(9, abs=1.2)
    assert rise(None) == pytest.approx(4, abs=1)


def test_a_stuck_sensor_repeats_its_reading() -> None:
    clean, stuck = drive(field(), 400), drive(field(fault("stuck_sensor", 0.0)), 400)
    assert set(stuck[199:301]) == {clean[199]}
    assert stuck[301:] == clean[301:]


def test_a_spike_changes_the_reading_only() -> None:
    clean, spiked = drive(field(), 400), drive(field(fault("spike", -8.0, 200, 203)), 400)
    off = [round(one - other, 1) for one, other in zip(spiked, clean, strict=True)]
    assert off[200:204] == pytest.approx([-8.0] * 4, abs=0.11)
    assert not any(off[:200] + off[204:])


@settings(max_examples=60)
@given(
    st.integers(1, 60),
    st.integers(0, 10**6),
    st.lists(
        st.tuples(st.floats(0, 1.2), st.none() | st.floats(0, 9), st.booleans()), min_size=5, max_size=60
    ),
)
def test_no_pace_makes_impossible_readings(
    pace: int, seed: int, drive: list[tuple[float, float | None, bool]]
) -> None:
    seconds = pace * 0.2
    telemetry = Telemetry(seed, CODES, seconds, SPEEDS, LENGTH, [fault("leak", 14.0, 3, 30)])
    laps, readings = -0.01, []
    for tick, (speed, gap, runs) in enumerate(drive):
        laps += speed * seconds / LAP_S if runs else 0.0
        readings.append(telemetry.sample(tick, [("AAA", laps, gap, runs)])["AAA"])
    assert all(AMBIENT_C[0] - 2 < reading < 220 for reading in readings)
    assert all(round(reading, 1) == reading for reading in readings)
    assert all(abs(now - before) < 60 for before, now in pairwise(readings))


def test_half_the_speed_is_an_eighth_of_power() -> None:
    """What the engine settles at, taken back to its load: drag's power goes with the cube of the speed."""

    def load(lap_times: float) -> float:
        """The load of a whole lap in one tick, as a share of the flying lap's."""
        telemetry = Telemetry(3, CODES, lap_times * LAP_S, SPEEDS, LENGTH)
        telemetry._random.random = lambda: 0.5  # type: ignore[method-assign]
        target, cooling = telemetry.balance(telemetry._engines["AAA"], 1.0, 0.0)
        heat = (target - telemetry._ambient) * cooling / telemetry._full_heat
        return (heat - IDLE_HEAT) / (1 - IDLE_HEAT) / (telemetry._profile.lap_load / LAP_S)

    assert load(1.0) == pytest.approx(1.0, rel=0.03)
    assert load(2.0) == pytest.approx(load(1.0) / 8)


def test_the_load_profile_adds_up() -> None:
    profile = LoadProfile(SPEEDS, LENGTH)
    assert profile.at(0.0) == (0.0, 0.0)
    assert profile.at(2.0) == pytest.approx((2 * profile.lap_s, 2 * profile.lap_load))
    assert profile.at(-0.25)[0] == pytest.approx(profile.at(0.75)[0] - profile.lap_s)
    steps = [profile.at(cell / 1000)[1] for cell in range(3000)]
    assert all(before <= now for before, now in pairwise(steps))
    assert 0.2 < profile.lap_load / profile.lap_s < 0.9


@pytest.mark.parametrize("pace", [1, 12, 30, 60])
def test_no_pace_boils_engines_on_the_grid(pace: int) -> None:
    """The lights take as many ticks at every pace; a tick at pace 60 is twelve seconds of race."""
    race = Race(RaceSettings("monaco", 3, pace, 5))
    hottest = 0.0
    while (tick := race.advance()).phase == "grid":
        hottest = max(hottest, *tick.temperatures.values())
    assert 110.0 < hottest < 124.0
