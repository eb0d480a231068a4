"""Circles of objects are looked for rarely, and free memory goes back more often."""

from __future__ import annotations

from races.live.garbage import COLLECT_EVERY_S, GIVE_BACK_EVERY_S, Garbage


def test_memory_goes_back_twice_a_minute_and_circles_every_five() -> None:
    now, done = [1000.0], []
    garbage = Garbage(lambda: now[0], lambda: done.append("collect"), lambda: done.append("give back"))
    garbage.tidy()
    assert done == []
    now[0] += GIVE_BACK_EVERY_S
    garbage.tidy()
    garbage.tidy()
    assert done == ["give back"]
    now[0] += COLLECT_EVERY_S - GIVE_BACK_EVERY_S
    garbage.tidy()
    assert done == ["give back", "collect", "give back"]
