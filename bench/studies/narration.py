"""Matches a race's big moments with the lines of commentary about them: its records go through the engine again.

The race and its commentary follow from seed and id, so what comes out here is what was published, and the facts
behind each line say which moment it tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from races.analytics.commentary.commentator import PAUSE, STALE, Line, describe
from races.analytics.commentary.moments import BIG, Moment, announced, observed
from races.analytics.commentary.race_state import Race
from races.analytics.engine import RaceAnalytics
from races.worker.records import KeyedRecord

# Lines that claim no `happened`: moment to the kinds that tell it, beside its own.
ALSO = {"last_lap": ("last_lap_neutral",), "lead": ("lost_lead", "inherited_lead", "start_lead")}


@dataclass(frozen=True, slots=True)
class NarratedMoment:
    """A big moment that the board agreed with at its tick.

    `quiet` says that there was no line in the two seconds before, and none about anything else at the same tick.
    `line` is the first about the moment within three seconds, None where there is none.
    """

    kind: str
    who: str
    tick: int
    quiet: bool
    line: Line | None


def lines_of(records: Sequence[KeyedRecord]) -> list[Line]:
    engine = RaceAnalytics(records[0].value["race_id"])
    derived = [found for record in records for found in engine.feed(record.role, record.value, record.key)]
    return [found.line for found in derived if found.line]


def narrated(records: Sequence[KeyedRecord], lines: Sequence[Line]) -> list[NarratedMoment]:
    moments = list(true_moments(records))
    matched = [next((line for line in lines if narrates(line, moment)), None) for moment in moments]
    return [
        NarratedMoment(
            moment.kind,
            moment.message["driver_code"],
            moment.tick,
            _quiet(moment, line, lines, matched),
            line,
        )
        for moment, line in zip(moments, matched, strict=True)
    ]


def true_moments(records: Sequence[KeyedRecord]) -> Iterator[Moment]:
    """Returns the big moments that commentary can describe at their own tick."""
    race = Race()
    for tick, of_tick in groupby(records, key=lambda record: record.value["tick"]):
        rows = list(of_tick)
        found = []
        for message in (row.value for row in rows if row.role == "race_control"):
            found.append(announced(message, race))
            race.heard(message)
        race.turn(tick, {row.value["driver_code"]: row.value for row in rows if row.role == "positions"})
        found += observed(race)
        yield from (m for m in found if m and m.weight >= BIG and describe(m, race))


def narrates(line: Line, moment: Moment) -> bool:
    """Whether the line claims that the moment happened, to this driver where one is named."""
    who = moment.message["driver_code"]
    if not 0 <= line.tick - moment.tick <= STALE:
        return False
    for fact in line.facts:
        happened = fact.claim == "happened" and fact.value == moment.kind
        if (happened and (not fact.who or who in fact.who)) or (
            moment.kind == "retirement" and fact.claim == "retired" and who in fact.who
        ):
            return True
    kinds = (moment.kind, *ALSO.get(moment.kind, ()))
    claims = {fact.claim for fact in line.facts}
    return line.kind in kinds and "happened" not in claims and any(who in fact.who for fact in line.facts)


def _quiet(moment: Moment, line: Line | None, lines: Sequence[Line], matched: Sequence[Line | None]) -> bool:
    before = any(0 < moment.tick - other.tick < PAUSE for other in lines)
    beside = any(other and other is not line and other.tick == moment.tick for other in matched)
    return not before and not beside
