"""Times and gaps as the page writes them."""

from math import inf, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from races.live.rendering.formatting import NONE, gap, lap_time


@pytest.mark.parametrize("seconds", [None, -0.001, -33.58, nan, inf, -inf])
def test_what_is_no_time_is_a_dash(seconds: float | None) -> None:
    assert lap_time(seconds) == gap(seconds) == NONE


@pytest.mark.parametrize(
    ("seconds", "laps_down", "text"),
    [(0.0, 0, "+0.000"), (1.5, 0, "+1.500"), (61.25, 0, "+1:01.250"), (None, 1, "+1 lap"), (90.0, 2, "+2 laps")],
)  # fmt: skip
def test_gaps_have_seconds_or_laps(seconds: float | None, laps_down: int, text: str) -> None:
    assert gap(seconds, laps_down) == text


@given(st.none() | st.floats(), st.integers(-3, 30))
@example(1.8e305, 0)
def test_no_gap_has_two_signs(seconds: float | None, laps_down: int) -> None:
    """Whatever number comes: one plus and figures, or a dash."""
    text = gap(seconds, laps_down)
    assert text == NONE or (text[0] == "+" and text[1].isdigit() and "-" not in text)
