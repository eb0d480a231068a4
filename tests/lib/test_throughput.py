"""How fast and how fresh a stream is, by this process's own clock."""

import pytest

from races.lib.throughput import RollingMaximum, ThroughputMeter


def counted(seconds: list[float]) -> ThroughputMeter:
    rates = ThroughputMeter()
    for now in seconds:
        rates.count("positions", now)
    return rates


def test_a_steady_stream_has_a_steady_rate() -> None:
    for until in (120, 137, 180, 399):
        rates = counted([100 + n / 20 for n in range(until)])
        assert rates.throughput(100 + until / 20)["positions"].rate == 20


def test_young_stream_is_measured() -> None:
    assert counted([100.2, 100.4]).throughput(100.6)["positions"].rate == 2
    assert counted([100.2, 100.4, 101.1]).throughput(101.2)["positions"].rate == 2


def test_stopped_stream_ages_at_zero() -> None:
    rates = counted([100 + n / 20 for n in range(400)])
    assert [rates.throughput(at)["positions"].rate for at in (120, 122, 125, 900)] == [20, 12, 0, 0]
    assert rates.throughput(130)["positions"].age_s == 130 - 119.95


def test_what_never_came_has_no_pace() -> None:
    assert ThroughputMeter().throughput(5) == {}
    assert counted([1.0]).total("commentary") == 0


def test_only_the_last_minute_counts() -> None:
    worst = RollingMaximum()
    assert worst.value(0.0) == 0.0
    worst.add(-0.004, 0.0)
    assert worst.value(0.0) == 0.0
    for second in range(200):
        worst.add(5.0 if second == 100 else 0.01, second + 0.2)
        worst.add(0.02, second + 0.6)
        assert worst.value(second + 0.9) == (5.0 if 100 <= second < 160 else 0.02)


def test_age_is_by_event_time() -> None:
    meter = ThroughputMeter()
    meter.count("positions", 100.0, 50_000)
    meter.count("avg_speed", 100.0, 42_000)
    ages = {role: one.age_s for role, one in meter.throughput(100.3, behind_s=26.0).items()}
    assert ages == {"positions": pytest.approx(26.3), "avg_speed": pytest.approx(34.3)}


def test_without_event_times_an_age_counts_from_the_reading() -> None:
    assert counted([100.0]).throughput(101.0, behind_s=2.0)["positions"].age_s == 3.0


def test_age_counts_what_was_published_late() -> None:
    """A worker that is late is seen by the records that came in time, for ten minutes; then nobody knows better."""
    meter = ThroughputMeter()
    for tick in range(50):
        meter.count("positions", 100 + tick / 5, 1_000 + tick * 200)
    meter.count("positions", 112.0, 11_000)
    assert meter.throughput(112.0)["positions"].age_s == pytest.approx(2.0)
    assert meter.throughput(112.5)["positions"].age_s == pytest.approx(2.5)
    for tick in range(50, 3_600):
        meter.count("positions", 102 + tick / 5, 1_000 + tick * 200)
        if tick == 2_600:
            assert meter.throughput(622.0)["positions"].age_s == pytest.approx(2.0)
    assert meter.throughput(822.0)["positions"].age_s == pytest.approx(0.2)
