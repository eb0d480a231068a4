"""Half an hour with 20 races at a time and 300 sockets that come and go: memory, threads, files, sockets left behind.

`--short` takes two minutes; SOAK_MINUTES, SOAK_RACES and SOAK_SOCKETS change the rest. What counts is the difference to
the first sixth of the time (five minutes of 30): pools of threads and their files have their size by then, and from
there on memory is judged, all of the process's. The embedded broker's window is filled before the time begins, as hours
of races would fill it. Ends with 1 where a verdict is no.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from statistics import median

from bench.harness import LabProcess, lab, load_average, rss_kb, setting
from bench.loadclient import Audience
from bench.scenarios.window import Window

MINUTES, SHORT_MINUTES, RACES, SOCKETS = 30.0, 2.0, 20, 300
WARM_MINUTES, MOST_GROWTH = 5.0, 0.05
SLACK = {
    "tasks": 2,
    "threads": 2,
    "files": 4,
    "connections": 4,
}  # of thousands that came and went: a request's own
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
        "files": sum(not link.startswith("socket:") for link in links),
        "connections": sum(link.startswith("socket:") for link in links),
        "tasks": process.metric("f1_tasks"),
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
        self.filled = self._fill()
        self._top_up()
        self.alone = _sample(process)  # the races without their audience
        self._audience = _audience(process, _running(process))

    def _fill(self) -> dict[str, int]:
        """A race makes the records, and has ended when they are sent again."""
        self._process.start_race(seed=1000, pace=60, laps=5)
        while _running(self._process):
            time.sleep(0.5)
        sent = Window(self._process.get("/healthz").json()["kafka"]["bootstrap"]).fill()
        while any(self._process.get("/healthz").json()["feed"]["lag"].values()):
            time.sleep(0.5)
        return sent

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


def _ends(samples: list[Sample], name: str) -> dict[str, int]:
    """At the first, and from when on memory is judged, and at the last."""
    when = {"first": 0, "judged_from": len(samples) // 6, "last": -1}
    return {word: round(samples[index][name]) for word, index in when.items()}


def growth(samples: list[Sample], name: str) -> float:
    """Growth as a share, from the first to the last fifth of what follows the first sixth."""
    kept = [sample[name] for sample in samples[len(samples) // 6 :]]
    fifth = max(1, len(kept) // 5)
    return median(kept[-fifth:]) / median(kept[:fifth]) - 1


def limits(alone: Sample, samples: list[Sample]) -> Sample:
    """What may be there at the end: what one spectator takes must be gone, what a pool took early may stay."""
    warm = [alone, *samples[: max(1, len(samples) // 6)]]
    most = {name: max(sample[name] for sample in warm) for name in ("threads", "files")}
    few = {name: alone[name] for name in ("tasks", "connections")}
    return {"sockets": 0} | {name: value + SLACK[name] for name, value in (most | few).items()}


def verdicts(minutes: float, alone: Sample, samples: list[Sample], after: Sample) -> dict[str, str]:
    """Name to yes, no or not judged, with the figures."""
    found = {}
    for name, limit in limits(alone, samples).items():
        word = "yes" if after[name] <= limit else "no"
        found[f"{name}_given_back"] = f"{word}: {after[name]:.0f} at the end, at most {limit:.0f}"
    grown = growth(samples, "rss_mb")
    word = "yes" if grown < MOST_GROWTH else "no"
    if minutes / 6 < WARM_MINUTES:
        word = "not judged in so short a time"
    return found | {"memory_flat": f"{word}: {grown:+.1%}, less than {MOST_GROWTH:.0%}"}


def run(short: bool = False) -> dict[str, object]:
    minutes = setting("SOAK_MINUTES", SHORT_MINUTES if short else MINUTES)
    races, sockets = int(setting("SOAK_RACES", RACES)), int(setting("SOAK_SOCKETS", SOCKETS))
    with lab() as process:
        soak = Soak(process, races, sockets)
        soak.run(minutes * 60)
        after = soak.end()
        if kept := os.environ.get("SOAK_SAMPLES"):
            Path(kept).write_text(json.dumps(soak.samples))
    judged = verdicts(minutes, soak.alone, soak.samples, after)
    return {
        "minutes": minutes,
        "races_at_a_time": races,
        "races_ended": soak.finished,
        "sockets_at_a_time": sockets,
        "sockets_opened": soak.opened,
        "rss_mb": _ends(soak.samples, "rss_mb"),
        "memory_growth": round(growth(soak.samples, "rss_mb"), 4),
        "window_filled_with": soak.filled,
        "before": {name: round(value) for name, value in soak.alone.items()},
        "after": {name: round(value) for name, value in after.items()},
        **load_average(),
        "verdicts": judged,
        "out_of_band": [name for name, words in judged.items() if words.startswith("no:")],
    }
