"""A class: thirty people with a race and its page each, to the end; lost ticks, gaps between ticks, and what is shown.

CLASS_PEOPLE, CLASS_LAPS (0: the default race), CLASS_ONE=1 (one race for all), CLASS_BUSY (busy loops beside the lab)
and CLASS_FLOOD=1 (one more person floods the lab with frames) change it. Gaps are between two messages with a tick, at
the sockets. The shown age is the footer's of one page; the true one follows from the race's clock in the database. A
page is rendered at some time between request and answer: the true age lies between those at both, and the difference is
how far the shown age is outside.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from bench.harness import LabProcess, lab, load_average, percentiles, setting
from bench.loadclient import Audience

PEOPLE, LIMIT_S, SAMPLE_S, JOIN_S = 30, 600.0, 5.0, 60.0
AGE = re.compile(r'id="footer-positions"[^>]*>[^<]*newest ([0-9.]+) (s|min)')
TICK = re.compile(r'id="dots" data-tick="(\d+)"')
BUSY = "while True: pass"


class Gaps:
    """When the newest tick of each race came, and the time between two of them."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[int, float]] = {}
        self.gaps_ms: list[float] = []

    def arrived(self, race: int, tick: int) -> None:
        now = time.monotonic()
        before = self._newest.get(race)
        if before is not None and tick > before[0]:
            self.gaps_ms.append((now - before[1]) * 1000)
        if before is None or tick > before[0]:
            self._newest[race] = tick, now


class Sampler(threading.Thread):
    """Looks at one race's page and at /healthz every few seconds, while the race runs."""

    def __init__(self, process: LabProcess, race_id: str) -> None:
        super().__init__(daemon=True)
        self._process, self._race_id, self._ended = process, race_id, threading.Event()
        self.true_s: list[float] = []
        self.differences_s: list[float] = []
        self.health: list[bool] = []

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_S):
            with suppress(requests.RequestException, sqlite3.Error):
                self._look()

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def _look(self) -> None:
        began_ms = time.time() * 1000
        page = self._process.get(f"/races/{self._race_id}/").text
        ended_ms = time.time() * 1000
        if self._process.get(f"/api/races/{self._race_id}/").json()["status"] != "running":
            return
        shown, tick = AGE.search(page), TICK.search(page)
        self.health.append(bool(self._process.get("/healthz").json()["ok"]))
        if shown and tick:
            shown_s, event_ms = (
                float(shown[1]) * (60 if shown[2] == "min" else 1),
                self._event_ms(int(tick[1])),
            )
            youngest_s, oldest_s = (began_ms - event_ms) / 1000, (ended_ms - event_ms) / 1000
            self.true_s.append(oldest_s)
            self.differences_s.append(max(0.0, youngest_s - shown_s, shown_s - oldest_s))

    def _event_ms(self, tick: int) -> float:
        file = Path(self._process.environ["F1_VAR_DIR"]) / "db.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            query = "SELECT started_ms, waits FROM races_race WHERE id = ?"
            started_ms, waits = database.execute(query, [self._race_id.replace("-", "")]).fetchone()
        return float(started_ms + tick * 200 + sum(ms for at, ms in json.loads(waits) if at <= tick))


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextmanager
def flood(process: LabProcess, race_id: str) -> Iterator[None]:
    """One person's program: a socket that sends frames of a kilobyte as fast as it can, and reconnects."""
    ended = threading.Event()

    def run() -> None:
        address, origin = process.socket(race_id)
        while not ended.is_set():
            with suppress(OSError, WebSocketException), connect(address, origin=origin) as socket:
                for _ in range(200):
                    socket.send("x" * 1000)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(10)


def watch(process: LabProcess, races: Sequence[str], people: int, limit_s: float) -> Gaps:
    """Everybody opens a page and keeps its socket until every race has ended."""
    for race_id in races:
        process.get(f"/races/{race_id}/")
    gaps, until = Gaps(), time.monotonic() + limit_s
    host, _, port = process.base.partition(":")
    audience = Audience((host, int(port)), [f"/ws/races/{race_id}/" for race_id in races], gaps.arrived)
    audience.acknowledge = audience.measuring = True
    audience.join(people, JOIN_S)
    while time.monotonic() < until and any(row["status"] in ("queued", "running") for row in rows(process)):
        audience.run(2.0)
    audience.close()
    return gaps


def rows(process: LabProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = process.get("/api/races/").json()["races"]
    return found


def run() -> dict[str, object]:
    people, one = int(setting("CLASS_PEOPLE", PEOPLE)), setting("CLASS_ONE", 0) == 1
    laps = {"laps": int(setting("CLASS_LAPS", 0))} if setting("CLASS_LAPS", 0) else {}
    with lab() as process, ExitStack() as stack:
        races = [process.start_race(seed=seed, **laps) for seed in range(1 if one else people)]
        stack.enter_context(busy_loops(int(setting("CLASS_BUSY", 0))))
        if setting("CLASS_FLOOD", 0):
            stack.enter_context(flood(process, races[0]))
        sampler, usage, began = Sampler(process, races[0]), process.usage(), time.monotonic()
        sampler.start()
        gaps = watch(process, races, people, LIMIT_S)
        took, used = time.monotonic() - began, usage.figures()
        sampler.stop()
        ended = rows(process)
    lost = [row["missing_ticks"] for row in ended]
    return {
        "people": people,
        "races": len(races),
        "finished": sum(row["status"] == "finished" for row in ended),
        "races_with_lost_ticks": sum(count > 0 for count in lost),
        "worst_lost_ticks": max(lost),
        **percentiles(gaps.gaps_ms, "gap_"),
        "took_s": round(took, 1),
        "oldest_true_age_s": round(max(sampler.true_s, default=0.0), 1),
        "worst_difference_of_shown_age_s": round(max(sampler.differences_s, default=0.0), 1),
        "health_ok": f"{sum(sampler.health)} of {len(sampler.health)}",
        **{name: by["lab"] for name, by in used.items()},
        **load_average(),
    }
