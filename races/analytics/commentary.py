"""The built-in commentator: a fold over positions and race control that now and then says a line.

It speaks as people can follow: never twice within two seconds, a big moment at once when it has been quiet
for two, a smaller one in its turn, and nothing that is older than three seconds or no longer true. When
little happens it tells a story: a battle that builds, a climb through the field, the gap at the front.
"""

from __future__ import annotations

from dataclasses import dataclass

from races.analytics.commentary_facts import surname
from races.analytics.commentary_moments import BIG, LAST_CHANCE, Moment, announced, describe, observed
from races.analytics.commentary_race import Race, Record
from races.analytics.commentary_stories import stories
from races.analytics.commentary_words import Fact, Phrasebook, Telling

# In ticks of 200 ms of wall time.
PAUSE = 10  # between any two lines
PAUSE_BEFORE_SMALL = 12  # before a moment that is not big
QUIET = 16  # after which a story is told
STALE = 15  # a moment that could not be told by then is dropped
STORY_AGAIN = 100  # before the same story is told of the same drivers
KIND_TIRES = 75  # a kind of story is worth less while the last one is younger


def _pause_before(moment: Moment) -> int:
    if moment.weight >= LAST_CHANCE:
        return 1
    return PAUSE if moment.weight >= BIG else PAUSE_BEFORE_SMALL


@dataclass(frozen=True, slots=True)
class Line:
    """A line of commentary, with the facts that it claims about the race at its tick."""

    text: str
    type: str
    tick: int
    timestamp: int
    kind: str
    facts: tuple[Fact, ...]
    names: tuple[str, ...] = ()  # of the whole field


class Commentator:
    """One race's commentator. What it says depends on the race's id and records only."""

    def __init__(self, race_id: str) -> None:
        self._race = Race()
        self._book = Phrasebook(race_id)
        self._waiting: list[Moment] = []
        self._last_event = -1
        self._last_line = -QUIET
        self._names: tuple[str, ...] = ()
        self._told: dict[tuple[str, tuple[str, ...]], int] = {}

    def was_said(self, text: str) -> None:
        """A line that stands in the stream already, and is not to be said again."""
        self._book.was_said(text)

    def race_control(self, message: Record) -> None:
        if 0 <= message["event"] <= self._last_event:
            return
        self._last_event = message["event"]
        moment = announced(message, self._race)
        self._race.heard(message)
        if moment:
            self._waiting.append(moment)

    def position(self, record: Record) -> Line | None:
        """A line, when this record completes a tick at which there is something to say."""
        if not self._race.add(record):
            return None
        tick = self._race.tick
        self._waiting = [moment for moment in self._waiting if tick - moment.tick <= STALE]
        self._waiting += observed(self._race)
        silence = tick - self._last_line
        return self._moment(silence) or (self._story() if silence >= QUIET else None)

    def _moment(self, silence: int) -> Line | None:
        """The weightiest moment that may be told now, and is still true."""
        for moment in sorted(self._waiting, key=lambda moment: (-moment.weight, moment.tick)):
            if moment.tick > self._race.tick or silence < _pause_before(moment):
                continue
            self._waiting.remove(moment)
            line = self._say(describe(moment, self._race))
            if line:
                return line
        return None

    def _story(self) -> Line | None:
        """The heaviest story that has not been told lately."""
        weighted = [(self._interest(weight, telling), telling) for weight, telling in stories(self._race)]
        for interest, telling in sorted(weighted, key=lambda pair: -pair[0]):
            line = self._say(telling) if interest > 0 else None
            if line:
                self._told[telling.kind, telling.subject] = self._told[telling.kind, ()] = line.tick
                return line
        return None

    def _interest(self, weight: int, telling: Telling) -> int:
        """A story's weight, less for a kind that has been heard lately, none for the same one again."""
        tick = self._race.tick
        if tick - self._told.get((telling.kind, telling.subject), -STORY_AGAIN) < STORY_AGAIN:
            return 0
        return weight - max(0, KIND_TIRES - (tick - self._told.get((telling.kind, ()), -KIND_TIRES))) // 5

    def _say(self, telling: Telling | None) -> Line | None:
        put = self._book.put(telling) if telling else None
        if telling is None or put is None:
            return None
        text, facts = put
        self._last_line = self._race.tick
        self._names = self._names or tuple(surname(car) for car in self._race.cars.values())
        timestamp = int(self._race.leader["timestamp"])
        return Line(text, telling.type, self._race.tick, timestamp, telling.kind, facts, self._names)
