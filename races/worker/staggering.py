"""Races of one worker take turns within a tick: forty that came due together would publish one after the other, and
the last of them late.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from races.worker.running_race import TICK_S


def until_own_turn(dues: Iterable[float], now: float) -> float:
    """Seconds, less than a tick, until the middle of the widest gap that the others' due times leave."""
    turns = sorted(due % TICK_S for due in dues)
    if not turns:
        return 0.0
    width, start = max((later - turn, turn) for turn, later in pairwise([*turns, turns[0] + TICK_S]))
    return (start + width / 2 - now) % TICK_S
