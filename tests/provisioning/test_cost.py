"""What it costs: arithmetic on list prices, and ages that people read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.cost import Running, age, hourly, instant, sentence, so_far

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_running_statement_costs_one_cfu() -> None:
    """Each running statement costs at least one cfu."""
    assert hourly(3) == pytest.approx(0.63)
    assert "about $0.63 an hour for 3 running Flink statements" in sentence(3)
    assert "no base price" in sentence(0)


def test_cost_counts_from_the_start() -> None:
    """The cost so far counts from each statement's start."""
    running = [
        Running("a", NOW - timedelta(hours=2)),
        Running("b", NOW - timedelta(minutes=30)),
        Running("c", None),
    ]
    assert so_far(running, NOW) == pytest.approx(2.5 * 0.21)


def test_clock_behind_costs_nothing() -> None:
    """A clock that is behind costs nothing."""
    assert so_far([Running("a", NOW + timedelta(hours=1))], NOW) == 0


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(seconds=20), "0 min"),
        (timedelta(minutes=65), "1 h 5 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
        (timedelta(seconds=-90), "0 min"),
    ],
)
def test_ages_read_well(past: timedelta, words: str) -> None:
    assert age(NOW - past, NOW) == words


def test_instants_in_all_spellings() -> None:
    """Instants are read in the service's ways of writing."""
    assert instant("2026-11-24T12:00:00Z") == instant("2026-11-24T12:00:00") == NOW
    assert instant("not a time") is instant(None) is instant("") is None


def test_stopped_statement_cost_until_then() -> None:
    """A statement that was stopped cost until then."""
    stopped = Running("a", NOW - timedelta(hours=5), until=NOW - timedelta(hours=2))
    assert so_far([stopped], NOW) == pytest.approx(3 * 0.21)
