"""The worst of the last minute: a maximum since the start would tell of yesterday for ever."""

from __future__ import annotations

from collections import deque

SPAN_S = 60


class Worst:
    """A maximum for each second, of a value that is never below zero. One thread notes, any may ask."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, float]] = deque(maxlen=SPAN_S)

    def note(self, value: float, now: float) -> None:
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, max(value, self._seconds[-1][1]))
        else:
            self._seconds.append((second, max(value, 0.0)))

    def worst(self, now: float) -> float:
        return max((value for second, value in list(self._seconds) if now - second < SPAN_S), default=0.0)
