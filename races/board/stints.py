"""The stints of a car as people read them, M 1–13, H 14–20: one notation for page, report, files and admin.

A record has them as M1 H14, compound and first lap, so that what was written once need not be changed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stint:
    """One set of tyres, from its first to its last lap, inclusive; tyre is its letter.

    A set that saw no whole lap has its last lap before its first.
    """

    tyre: str
    first: int
    last: int

    @property
    def laps(self) -> int:
        return self.last - self.first + 1

    @property
    def span(self) -> str:
        """Writes 1–9, or 10, or 10 (not finished)."""
        if self.laps > 1:
            return f"{self.first}–{self.last}"
        return str(self.first) if self.laps else f"{self.first} (not finished)"

    def __str__(self) -> str:
        return f"{self.tyre} {self.span}"


def stints(text: str, laps: int) -> tuple[Stint, ...]:
    """Every set used, from compound and first lap of each (M1 H14) and the laps that the car drove to their end."""
    parsed = [(part[:1], int(part[1:])) for part in text.split() if part[1:].isdecimal()]
    ends = [*(first - 1 for _, first in parsed), laps][1:]
    return tuple(
        Stint(tyre, first, max(min(end, laps), first - 1))
        for (tyre, first), end in zip(parsed, ends, strict=True)
    )


def spelled(text: str, laps: int) -> str:
    """Writes the stints of a record, M1 H14, as people read them."""
    return ", ".join(str(stint) for stint in stints(text, laps))
