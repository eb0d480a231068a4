"""Half an hour with 20 races at a time and 300 sockets that come and go: memory, threads, files, sockets left behind.

SOAK_MINUTES, SOAK_RACES and SOAK_SOCKETS shorten it. Growth counts from a sixth of the time on (five minutes of 30).
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from statistics import median

from bench.loadclient import Audience
from bench.process import LabProcess, lab, rss_kb

MINUTES, RACES, SOCKETS = 30.0, 20, 300
SAMPLE_S, CHANGE_S, TOP_UP_S = 5.0, 2.0, 5.0
CHANGING = 0.04  # share of the sockets that leave, and as many come, every CHANGE_S
DRAIN_S = 90.0  # what left is forgotten, and idle threads have ended
Sample = dict[str, float]


def _sample(process: LabProcess) -> Sample:
    proc = Path(f"/proc/{process.pid}")
    links = [str(link.readlink()) for link in (proc / "fd").iterdir() if link.is_symlink()]
    return {
        "rss_mb": rss_kb(process.pid) / 1024,
        "threads": len(list((proc / "task").iterdir())),
        "files": len(links),
        "connections": sum(link.startswith("socket:") for link in links),
        "sockets": process.metric("f1_sockets"),
    }


def _running(process: LabProcess) -> list[str]:
    rows = process.get("/api/races/").json()["races"]
    return [row["id"] for row in rows if row["status"] in ("queued", "running")]


def _audience(process: LabProcess, races: list[str]) -> Audience:
    host, _, port = process.base.partition(":")
    audience = Audience((host, int(port)), [f"/ws/races/{race}/" for race in races], lambda race, tick: None)
    audience.acknowledge = True
    return audience


class Soak:
    def __init__(self, process: LabProcess, races: int, sockets: int) -> None:
        self._process, self._races, self._sockets = process, races, sockets
        self._chance = random.Random(1)
        self._seed = 0
        self.samples: list[Sample] = []
        self.finished = self.opened = 0
        self._top_up()
        self._audience = _audience(process, _running(process))

    def _top_up(self) -> None:
        """A race that ended is followed by another."""
        missing = self._races - len(_running(self._process))
        for _ in range(missing):
            self._seed += 1
            self._process.start_race(seed=self._seed)
        self.finished += missing if self.samples else 0

    def _change(self) -> None:
        """Some leave without a word, others come; now and then everybody moves on to the races of now."""
        if self._chance.random() < 0.02:
            self._audience.close()
            self._audience = _audience(self._process, _running(self._process))
        else:
            leaving = [one for one in self._audience.spectators if self._chance.random() < CHANGING]
            self._audience.leave(leaving)
        here = len(self._audience.joined)
        self.opened += self._sockets - here
        self._audience.join(self._sockets - here, 10)

    def run(self, seconds: float) -> None:
        began = time.monotonic()
        sample_at = top_up_at = began
        while time.monotonic() - began < seconds:
            self._change()
            self._audience.run(CHANGE_S)
            if time.monotonic() >= sample_at:
                sample_at = time.monotonic() + SAMPLE_S
                self.samples.append(_sample(self._process))
            if time.monotonic() >= top_up_at:
                top_up_at = time.monotonic() + TOP_UP_S
                self._top_up()

    def end(self) -> Sample:
        self._audience.close()
        time.sleep(min(DRAIN_S, 5 + len(self.samples)))
        return _sample(self._process)


def growth(samples: list[Sample], name: str) -> float:
    """From the first to the last fifth of what follows the first sixth."""
    kept = [sample[name] for sample in samples[len(samples) // 6 :]]
    fifth = max(1, len(kept) // 5)
    return median(kept[-fifth:]) / median(kept[:fifth]) - 1


def run() -> dict[str, object]:
    minutes = float(os.environ.get("SOAK_MINUTES", MINUTES))
    races, sockets = int(os.environ.get("SOAK_RACES", RACES)), int(os.environ.get("SOAK_SOCKETS", SOCKETS))
    with lab() as process:
        before = _sample(process)
        soak = Soak(process, races, sockets)
        soak.run(minutes * 60)
        after = soak.end()
        if kept := os.environ.get("SOAK_SAMPLES"):
            Path(kept).write_text(json.dumps(soak.samples))
    return {
        "minutes": minutes,
        "races_at_a_time": races,
        "races_ended": soak.finished,
        "sockets_at_a_time": sockets,
        "sockets_opened": soak.opened,
        "rss_mb": {
            name: round(s["rss_mb"]) for name, s in (("first", soak.samples[0]), ("last", soak.samples[-1]))
        },
        "memory_growth": round(growth(soak.samples, "rss_mb"), 4),
        "before": {name: round(value) for name, value in before.items()},
        "after": {name: round(value) for name, value in after.items()},
        "load_average": os.getloadavg()[0],
        "must_be": {"memory_growth": "under 0.05", "after": "no sockets; threads and files as while it ran"},
    }
