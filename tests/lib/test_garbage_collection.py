"""Circles of objects are looked for often among what is young, and rarely among all."""

from __future__ import annotations

import gc
import weakref

from races.lib.memory import ALL_EVERY_S, YOUNG_EVERY_S, GarbageCollection


def test_rhythm_of_collections() -> None:
    now, done = [1000.0], []
    garbage = GarbageCollection(lambda: now[0], lambda: done.append("all"), lambda: done.append("young"))
    garbage.run_due()
    assert done == []
    now[0] += YOUNG_EVERY_S
    garbage.run_due()
    garbage.run_due()
    assert done == ["young"]
    now[0] += ALL_EVERY_S - YOUNG_EVERY_S
    garbage.run_due()
    assert done == ["young", "all", "young"]


class Circle:
    def __init__(self) -> None:
        self.itself = self


def test_unheld_circle_is_collected() -> None:
    now = [1000.0]
    garbage = GarbageCollection(lambda: now[0])
    gc.disable()
    try:
        left = weakref.ref(Circle())
        assert left() is not None
        now[0] += YOUNG_EVERY_S
        garbage.run_due()
        assert left() is None
    finally:
        gc.enable()
