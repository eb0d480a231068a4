"""Circles of objects are looked for rarely, and once enough sockets have gone."""

from __future__ import annotations

from races.live.garbage import ANYWAY_S, ENOUGH, NOT_BEFORE_S, PAUSES, Garbage


class Process:
    """A clock that the collections themselves move on."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.now, self.collections, self._pause_s = 1000.0, 0, pause_s
        self.garbage = Garbage(lambda: self.now, self._collect)

    def _collect(self) -> None:
        self.collections += 1
        self.now += self._pause_s

    def after(self, seconds: float, gone: int) -> int:
        """How often was collected so far, once `gone` sockets in all have left."""
        self.now += seconds
        self.garbage.tidy(gone)
        return self.collections


def test_sockets_that_stay_cost_nothing_for_minutes() -> None:
    process = Process()
    assert process.after(ANYWAY_S - 1, gone=0) == 0
    assert process.after(1, gone=0) == 1
    assert process.after(ANYWAY_S - 1, gone=0) == 1


def test_once_enough_sockets_have_gone_their_circles_go() -> None:
    process = Process()
    assert process.after(NOT_BEFORE_S, gone=ENOUGH - 1) == 0
    assert process.after(1, gone=ENOUGH) == 1
    assert process.after(NOT_BEFORE_S, gone=ENOUGH + ENOUGH - 1) == 1
    assert process.after(1, gone=ENOUGH + ENOUGH) == 2


def test_never_twice_within_half_a_minute() -> None:
    process = Process()
    assert process.after(NOT_BEFORE_S - 1, gone=10 * ENOUGH) == 0
    assert process.after(1, gone=10 * ENOUGH) == 1
    assert process.after(NOT_BEFORE_S - 1, gone=20 * ENOUGH) == 1


def test_long_pauses_are_rarer() -> None:
    process = Process(pause_s=0.2)
    assert process.after(NOT_BEFORE_S, gone=ENOUGH) == 1
    assert process.after(0.2 * PAUSES - 1, gone=9 * ENOUGH) == 1
    assert process.after(2, gone=9 * ENOUGH) == 2
