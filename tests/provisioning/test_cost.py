"""What it costs: arithmetic on list prices, and ages that people read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.cost import Running, age, hourly, instant, sentence, so_far

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_each_running_statement_costs_at_least_one_cfu() -> None:
    assert hourly(3) == pytest.approx(0.63)
    assert "about $0.63 an hour for 3 running Flink statements" in sentence(3)
    assert "no base price" in sentence(0)


def test_the_cost_so_far_counts_from_each_statements_start() -> None:
    running = [
        Running("a", NOW - timedelta(hours=2)),
        Running("b", NOW - timedelta(minutes=30)),
        Running("c", None),
    ]
    assert so_far(running, NOW) == pytest.approx(2.5 * 0.21)


def test_a_clock_that_is_behind_costs_nothing() -> None:
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


def test_instants_are_read_in_the_services_ways_of_writing() -> None:
    assert instant("2026-11-24T12:00:00Z") == instant("2026-11-24T12:00:00") == NOW
    assert instant("not a time") is instant(None) is instant("") is None


def test_a_statement_that_was_stopped_cost_until_then() -> None:
    stopped = Running("a", NOW - timedelta(hours=5), until=NOW - timedelta(hours=2))
    assert so_far([stopped], NOW) == pytest.approx(3 * 0.21)
