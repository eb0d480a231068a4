"""How far a reader is behind, by its own clock."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.streams.lag import Lag, LagLog, PartitionLag, behind


def test_a_reader_at_the_end_is_not_behind() -> None:
    lag = PartitionLag()
    assert (lag.records(0), lag.seconds(0, 100.0)) == (0, 0.0)
    lag.measured(50, 50, 100.0)
    assert (lag.records(50), lag.seconds(50, 130.0)) == (0, 0.0)


def test_seconds_count_from_when_the_next_record_came() -> None:
    lag = PartitionLag()
    for second in range(60):
        lag.measured(10 * second, 0, float(second))
    assert lag.seconds(0, 60.0) == 59.0
    assert lag.seconds(250, 60.0) == 34.0, "the end was at 260 after 26 s"
    assert lag.seconds(589, 60.0) == 1.0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=40))
def test_lag_is_that_of_a_list_of_arrivals(rounds: list[tuple[int, int]]) -> None:
    """Each round some records arrive and the reader takes some."""
    lag, arrived, taken = PartitionLag(), [], 0
    for now, (new, read) in enumerate(rounds):
        arrived += [now] * new
        lag.measured(len(arrived), taken, float(now))
        taken = min(taken + read, len(arrived))
        assert lag.records(taken) == len(arrived) - taken
        wanted = now - arrived[taken] if taken < len(arrived) else 0
        assert lag.seconds(taken, float(now)) == wanted


def test_a_lag_is_said_in_plain_words() -> None:
    words = behind("the page", Lag(84_976, 26.2, 0))
    assert words == "the page is 26 s behind (84,976 records)"


def test_the_log_says_once_that_a_reader_is_late(caplog: pytest.LogCaptureFixture) -> None:
    lag_log = LagLog("the page", logging.getLogger("races.test"))
    for seconds in (2, 9, 11, 15, 26, 9, 4):
        lag_log.check(Lag(seconds * 3300, float(seconds)))
    assert [r.getMessage() for r in caplog.records] == [
        "This machine is too slow for its races: the page is 11 s behind (36,300 records)"
    ]
    for seconds in (2, 11):
        lag_log.check(Lag(1, float(seconds)))
    assert [r.getMessage() for r in caplog.records][1:] == [
        "The page has caught up",
        "This machine is too slow for its races: the page is 11 s behind (1 records)",
    ]
