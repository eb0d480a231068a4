"""A big moment on the track to its line of commentary at the page, in milliseconds; six default races at once.

The delay runs from the due time of the tick that holds the moment to the arrival of the message with its line. Which
line that is follows from the facts behind it (bench/studies/narration.py). The figure counts the moments before which
nothing was said for two seconds. A moment right after another line has to wait: it gets its line within three seconds,
or is dropped. Moments without a line are counted and named. MOMENTS_SECONDS shortens the study.
"""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from statistics import median, quantiles
from typing import Any

import websockets

from bench.harness import LabProcess, lab, load_average, setting
from bench.studies.narration import NarratedMoment, lines_of, narrated
from races.sim import Race, RaceSettings, default_laps, load_season
from races.worker.records import KeyedRecord, entry_list, tick_records

RACES, SECONDS = 6, 100.0
LINE = re.compile(r"<span>(.*?)</span></li>")
TICK = re.compile(r'data-tick="(\d+)"')
Due = dict[int, float]  # tick to its due time


@dataclass(slots=True)
class Heard:
    """One page: from when to when it listened, and when each text came first, on the machine's monotonic clock."""

    since: float
    until: float
    texts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """delay_ms: from the moment's due time to its line at the page; None where none came."""

    race: int
    narrated: NarratedMoment
    delay_ms: float | None

    def __str__(self) -> str:
        return (
            f"race {self.race}, tick {self.narrated.tick}: {self.narrated.kind} {self.narrated.who}".rstrip()
        )


async def listen(process: LabProcess, race_id: str, seconds: float) -> Heard:
    url, origin = process.socket(race_id)
    async with websockets.connect(url, origin=origin, compression=None, max_size=None) as page:
        heard = Heard(acked := time.monotonic(), time.monotonic() + seconds)
        while time.monotonic() < heard.until:
            message, at = str(await asyncio.wait_for(page.recv(), 20)), time.monotonic()
            for text in LINE.findall(message):
                heard.texts.setdefault(html.unescape(text), at)
            tick = TICK.search(message)
            if tick and at - acked >= 1:
                acked = at
                await page.send(f"ack {tick[1]}")
    return heard


async def listen_to_all(process: LabProcess, races: list[str], seconds: float) -> list[Heard]:
    return list(await asyncio.gather(*(listen(process, race_id, seconds) for race_id in races)))


def records_of(settings: dict[str, Any]) -> list[KeyedRecord]:
    """The race's records once more, for its seed; it is a default one."""
    laps = default_laps(settings["circuit"])
    race = Race(RaceSettings(settings["circuit"], laps, settings["pace"], settings["seed"]))
    its = entry_list(settings["id"], laps, load_season())
    found: list[KeyedRecord] = []
    while not race.over:
        tick = race.advance()
        found += tick_records(its, tick, tick.tick * 200, metrics=False)
    return found


def moments_of(number: int, moments: Sequence[NarratedMoment], due: Due, heard: Heard) -> list[Moment]:
    """Those that the page was there for, until three seconds before it went."""
    there = [its for its in moments if its.tick in due and heard.since <= due[its.tick] <= heard.until - 4]
    arrived = [heard.texts.get(its.line.text) if its.line else None for its in there]
    return [
        Moment(number, its, None if at is None else (at - due[its.tick]) * 1000)
        for its, at in zip(there, arrived, strict=True)
    ]


def in_race(process: LabProcess, number: int, race_id: str, heard: Heard) -> list[Moment]:
    records = records_of(process.get(f"/races/{race_id}/report.json").json()["race"])
    return moments_of(number, narrated(records, lines_of(records)), process.due_times(race_id), heard)


def figures(moments: Sequence[Moment]) -> dict[str, Any]:
    """Delays over those told after two quiet seconds, and what became of all."""
    quiet = [moment for moment in moments if moment.narrated.quiet]
    waiting = [moment for moment in moments if not moment.narrated.quiet]
    delays = sorted(moment.delay_ms for moment in quiet if moment.delay_ms is not None)
    return {
        "after_two_quiet_seconds": len(quiet),
        "told": len(delays),
        "p50_ms": round(median(delays), 1) if delays else None,
        "p90_ms": round(quantiles(delays, n=10)[8], 1) if len(delays) > 1 else None,
        "max_ms": round(delays[-1], 1) if delays else None,
        "never_told": [str(moment) for moment in quiet if moment.delay_ms is None],
        "right_after_a_line": len(waiting),
        "told_in_their_turn": sum(moment.delay_ms is not None for moment in waiting),
        "longest_turn_ms": max((round(m.delay_ms) for m in waiting if m.delay_ms is not None), default=None),
        "dropped": [str(moment) for moment in waiting if moment.delay_ms is None],
    }


def run() -> dict[str, Any]:
    seconds = setting("MOMENTS_SECONDS", SECONDS)
    with lab() as process:
        races = [process.start_race(seed=seed) for seed in range(RACES)]
        time.sleep(1.5)
        heard = asyncio.run(listen_to_all(process, races, seconds))
        time.sleep(2)  # the recorder's last words
        found = [
            in_race(process, number, race_id, page)
            for number, (race_id, page) in enumerate(zip(races, heard, strict=True))
        ]
    return {
        "races": len(races),
        **figures(list(chain.from_iterable(found))),
        **load_average(),
        "must_be_under": {"p50_ms": 300},
    }
