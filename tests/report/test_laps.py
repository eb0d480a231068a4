"""Laps to places and gaps: the arithmetic behind the report's charts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from races.report.laps import neutral, points
from races.report.svg import LABEL_PX, nice_step, spread


@dataclass
class Lap:
    driver_code: str
    lap: int
    time_s: float | None
    position: int = 9
    gap_s: float | None = None
    tyre: str = "MEDIUM"
    tyre_age: int = 1


def test_gaps_and_places_are_those_at_the_line() -> None:
    found = points([Lap("NOR", 1, 90.0), Lap("VER", 1, 91.5), Lap("NOR", 2, 88.0), Lap("VER", 2, 85.0)])
    assert [(p.position, p.gap_s) for p in found["NOR"]] == [(1, 0.0), (2, 1.5)]
    assert [(p.position, p.gap_s) for p in found["VER"]] == [(2, 1.5), (1, 0.0)]


def test_a_missing_lap_makes_no_wrong_sum() -> None:
    laps = [Lap("NOR", 1, 90.0), Lap("NOR", 3, 90.0, 2, 4.2), Lap("VER", 1, 91.0), Lap("VER", 2, 91.0)]
    found = points([*laps, Lap("VER", 3, 91.0, 1, None)])
    assert [(p.lap, p.position, p.gap_s) for p in found["NOR"]] == [(1, 1, 0.0), (3, 2, 4.2)]
    assert found["NOR"][1].crossed_s is None
    assert found["VER"][2].position == 1


@given(
    st.dictionaries(
        st.sampled_from(["NOR", "VER", "HAM", "RUS", "PIA"]),
        st.lists(st.integers(60_000, 120_000), min_size=1, max_size=8),
        min_size=1,
    )
)
def test_places_are_a_ranking(times: dict[str, list[int]]) -> None:
    laps = [Lap(code, n, ms / 1000) for code, mine in times.items() for n, ms in enumerate(mine, 1)]
    by_lap: dict[int, list[tuple[int, float]]] = {}
    for mine in points(laps).values():
        for point in mine:
            by_lap.setdefault(point.lap, []).append((point.position, point.gap_s or 0.0))
    for rows in by_lap.values():
        rows.sort()
        assert [position for position, _ in rows] == list(range(1, len(rows) + 1))
        assert [gap for _, gap in rows] == sorted(gap for _, gap in rows)
        assert rows[0][1] == 0.0


def test_neutral_laps_end_with_green() -> None:
    told = [
        ("lights_out", 1),
        ("yellow", 4),
        ("safety_car", 4),
        ("safety_car_ending", 6),
        ("green", 7),
        ("vsc", 9),
    ]
    assert neutral(told, 12) == [("safety_car", 4, 7), ("vsc", 9, 12)]


@given(st.lists(st.floats(16, 300), min_size=1, max_size=20).map(sorted))
def test_labels_never_cover_each_other(wanted: list[float]) -> None:
    places = spread(wanted, 16, 300)
    assert all(after - before >= LABEL_PX - 1e-6 for before, after in pairwise(places))
    assert places[-1] <= 300


@given(st.floats(0.1, 10_000))
def test_rules_stand_at_round_distances(span: float) -> None:
    step = nice_step(span)
    assert 1 < span / step <= 5 or step == 0.001
