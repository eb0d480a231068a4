"""From facts to a sentence: numbers as people say them, and phrases that are not used up too soon.

A phrase in phrases.json names its slots in braces. A slot is offered only when it is true, and it
carries the facts that it claims; a phrase can be used when all its slots are offered. So a line's facts are
those of its candidate and those of the slots it used, and a test can hold each one against the records.
"""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

LONGEST = 88
"""Characters in a line, the most; phrases aim at 80 with names of common length."""

_PHRASES = Path(__file__).with_name("phrases.json")
ORDINALS = (
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
)
COUNTS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


class Fact(NamedTuple):
    """One checkable claim about the race at the line's tick, such as ("interval", ("PIA", "NOR"), 0.8)."""

    claim: str
    who: tuple[str, ...] = ()
    value: float | int | str | None = None


class Slot(NamedTuple):
    """The text that fills a brace of a phrase, and the facts that it claims."""

    text: str
    facts: tuple[Fact, ...] = ()


@dataclass(slots=True)
class Candidate:
    """A line that could be said: a kind of phrase, what each phrase of that kind claims, and slots to fill."""

    kind: str
    type: str
    facts: list[Fact]
    slots: dict[str, Slot] = field(default_factory=dict)
    subject: tuple[str, ...] = ()

    def offer(self, name: str, text: str, *facts: Fact) -> None:
        self.slots[name] = Slot(text, facts)


def ordinal(number: int) -> str:
    """A place as people say it: third, tenth, 11th, 21st."""
    if number < len(ORDINALS):
        return ORDINALS[number]
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def count(number: int) -> str:
    """A number as people say it: three, twelve, 13."""
    return COUNTS[number] if 0 <= number < len(COUNTS) else str(number)


def plural(number: int, noun: str) -> str:
    """A number of things: one lap, five laps, no stops."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def seconds(value: float) -> str:
    """A gap to the tenth: 0.8 seconds, 12.4 seconds."""
    return f"{value:.1f} seconds"


def tenths(value: float) -> str | None:
    """A gap in words: a tenth, four tenths, half a second; None where people would not say it so."""
    whole = round(value * 10)
    if not 1 <= whole <= 9:
        return None
    return {1: "a tenth", 5: "half a second"}.get(whole, f"{count(whole)} tenths")


def lap_time(value: float) -> str:
    """A lap time in seconds as minutes and seconds: 1:21.046."""
    minutes, rest = divmod(round(value * 1000), 60_000)
    return f"{minutes}:{rest / 1000:06.3f}"


def listing(names: Iterable[str]) -> str:
    """Names as a list in a sentence: Norris, Piastri and Russell."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def sentence(text: str) -> str:
    """The text with a capital where a sentence begins."""
    return re.sub(r"(^|[.!?] )([a-z])", lambda found: found[1] + found[2].upper(), text)


@cache
def phrases() -> Mapping[str, tuple[str, ...]]:
    loaded: dict[str, list[str]] = json.loads(_PHRASES.read_text(encoding="utf-8"))
    return {kind: tuple(lines) for kind, lines in loaded.items()}


@cache
def slots_of(phrase: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in string.Formatter().parse(phrase) if name)


class Phrasebook:
    """Chooses phrases for one race: each kind's phrases in turns, shuffled by the race, no sentence twice."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._turns: dict[str, list[str]] = {}
        self._said: set[str] = set()
        self._used: dict[str, int] = {}

    def put(self, candidate: Candidate, tick: int = 0, rest: int = 0) -> tuple[str, tuple[Fact, ...]] | None:
        """Returns the sentence and all its facts; None when none fits that was not said before.

        rest: ticks for which a phrase is not used again, whatever names and numbers fill it.
        """
        turns = self._turns.get(candidate.kind)
        if turns is None:
            turns = self._turns[candidate.kind] = list(phrases()[candidate.kind])
            self._random.shuffle(turns)
        for phrase in turns:
            names = slots_of(phrase)
            if tick - self._used.get(phrase, -rest) < rest or not all(
                name in candidate.slots for name in names
            ):
                continue
            text = sentence(phrase.format(**{name: candidate.slots[name].text for name in names}))
            if len(text) > LONGEST or text in self._said:
                continue
            turns.remove(phrase)
            turns.append(phrase)
            self._said.add(text)
            self._used[phrase] = tick
            return text, (*candidate.facts, *(f for name in names for f in candidate.slots[name].facts))
        return None
