"""What the soak calls left behind, and what it does not."""

from __future__ import annotations

import pytest

from bench.scenarios.soak import verdicts

ALONE = {
    "rss_mb": 100.0,
    "threads": 20.0,
    "files": 30.0,
    "connections": 40.0,
    "tasks": 5.0,
    "sockets": 0.0,
}
BUSY = ALONE | {"threads": 28.0, "files": 50.0, "connections": 340.0, "tasks": 305.0, "sockets": 300.0}
AFTER = ALONE | {"threads": 28.0, "files": 50.0}


def noes(minutes: float = 30, **after: float) -> list[str]:
    samples = [BUSY] * 30 + [BUSY | {"rss_mb": after.get("rss_mb", 100.0)}] * 10
    judged = verdicts(minutes, ALONE, samples, AFTER | after)
    return [name for name, words in judged.items() if words.startswith("no:")]


def test_a_steady_pool_is_no_leak() -> None:
    assert noes() == []


@pytest.mark.parametrize("name", ["threads", "files", "connections", "tasks", "sockets"])
def test_what_stays_of_those_who_left_is_named(name: str) -> None:
    assert noes(**{name: BUSY[name] + 5}) == [f"{name}_given_back"]


def test_growing_memory_is_named() -> None:
    assert noes(rss_mb=106.0) == ["memory_flat"]
    assert noes(rss_mb=104.0) == []
    assert noes(minutes=2, rss_mb=130.0) == []
