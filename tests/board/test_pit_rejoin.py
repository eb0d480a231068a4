"""Where a car would come out after a stop, and when there is no stop to decide on."""

from typing import Any

import pytest

from races.board.frames import CarFrame, blank_car
from races.board.pit_rejoin import rejoin
from races.board.race_info import CarInfo


def car(code: str, position: int, gap: float | None, **other: Any) -> CarFrame:
    blank = blank_car(CarInfo(code, code, 1, "team"))
    return blank | {"position": position, "gap_s": gap, "lap": 3, **other}  # type: ignore[return-value]


def test_a_stop_costs_places() -> None:
    out = rejoin([car("A", 1, None), car("B", 2, 5.0), car("C", 3, 21.5), car("D", 4, 30.0)], "A", 22.0)
    assert out is not None
    assert (out.position, out.ahead, out.behind) == (3, ("C", 0.5), ("D", 8.0))


@pytest.mark.parametrize(
    "now", [{"status": "pit"}, {"status": "retired"}, {"status": "finished"}, {"lap": 0}]
)
def test_no_prediction_off_the_track(now: dict[str, Any]) -> None:
    assert rejoin([car("A", 1, None, **now), car("B", 2, 5.0)], "A", 22.0) is None


def test_a_car_in_the_pit_counts() -> None:
    out = rejoin([car("A", 1, None), car("B", 2, 5.0, status="pit")], "A", 22.0)
    assert out is not None
    assert out.position == 2
