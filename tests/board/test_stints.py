"""The stints of a car, from the records' M1 H14 to what people read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from races.board.stints import Stint, spelled, stints


def test_stints_span_the_laps_that_were_driven() -> None:
    assert stints("M1 H14 S40", 52) == (Stint("M", 1, 13), Stint("H", 14, 39), Stint("S", 40, 52))
    assert stints("M1", 9) == (Stint("M", 1, 9),)
    assert stints("M1 H10", 10) == (Stint("M", 1, 9), Stint("H", 10, 10))
    assert stints("", 5) == ()


def test_every_set_is_a_stint() -> None:
    """Changed, and out before the next line; or out on the first lap."""
    assert stints("M1 H10", 9) == (Stint("M", 1, 9), Stint("H", 10, 9))
    assert stints("M1", 0) == (Stint("M", 1, 0),)
    assert [stint.laps for stint in stints("M1 H10", 9)] == [9, 0]
    assert [stint.span for stint in stints("S1 M2 H10", 9)] == ["1", "2–9", "10 (not finished)"]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(0, 60))
def test_no_stint_exceeds_the_laps(firsts: list[int], laps: int) -> None:
    """Whatever the records say: a text may have been made by others."""
    found = stints(" ".join(f"M{first}" for first in firsts), laps)
    assert len(found) == len(firsts)
    assert all(stint.laps >= 0 for stint in found)
    assert all(stint.last <= laps for stint in found if stint.laps)


def test_one_notation_for_people() -> None:
    assert spelled("M1 H14", 20) == "M 1–13, H 14–20"
    assert spelled("M1 H20", 20) == "M 1–19, H 20"
    assert spelled("", 20) == ""
