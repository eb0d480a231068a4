"""What a page's main thread did in its longest tasks, from Chromium's own trace.

A task's wall time says how long the page could not answer; its processor time how much of that was work. The rest was
waiting for the core, which the browser's own drawing threads want as well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

CATEGORIES = ("devtools.timeline", "toplevel")
TASK = "ThreadControllerImpl::RunTask"
LONG_MS = 50
WORDS = {
    "ParseHTML": "parsing",
    "FunctionCall": "script",
    "FireAnimationFrame": "script",
    "UpdateLayoutTree": "style",
    "Layout": "layout",
    "PrePaint": "paint",
    "Paint": "paint",
    "Layerize": "paint",
    "Commit": "commit",
    "MajorGC": "garbage",
    "MinorGC": "garbage",
}
Event = dict[str, Any]


def tasks(trace: bytes) -> Iterator[dict[str, Any]]:
    """The main thread's tasks in order: cause is message, frame of a tick, frame or other."""
    drawing = False  # a tick was taken in and is not drawn yet
    for task, inside in _with_parts(_main_thread(json.loads(trace)["traceEvents"])):
        names = {event["name"] for event in inside}
        message, frame = "ParseHTML" in names, bool(names & {"Paint", "Commit"})
        cause = "message" if message else ("frame of a tick" if drawing else "frame") if frame else "other"
        drawing = message or (drawing and not frame)
        yield {
            "cause": cause,
            "wall_ms": round(task["dur"] / 1000, 1),
            "cpu_ms": round(task.get("tdur", 0) / 1000, 1),
            "parts_ms": _parts(inside),
        }


def _parts(inside: list[Event]) -> dict[str, float]:
    """Wall time by kind, the longest first; what scripts made the browser do counts with them and by itself."""
    spent: Counter[str] = Counter()
    until: dict[str, float] = {}
    for event in inside:
        kind = WORDS[event["name"]]
        if event["ts"] >= until.get(kind, 0):
            until[kind] = event["ts"] + event["dur"]
            spent[kind] += event["dur"]
    return {kind: round(wall / 1000, 1) for kind, wall in spent.most_common()}


def figures(trace: bytes) -> dict[str, Any]:
    found = list(tasks(trace))
    long = [task for task in found if task["wall_ms"] > LONG_MS]
    of_ticks = [task for task in found if task["cause"] in ("message", "frame of a tick")]
    return {
        "long_tasks": len(long),
        "long_tasks_of_ticks": sum(task["wall_ms"] > LONG_MS for task in of_ticks),
        "longest_task_ms": max((task["wall_ms"] for task in found), default=0),
        "most_work_of_a_tick_ms": max((task["cpu_ms"] for task in of_ticks), default=0),
        "forced_layouts": sum(task["cause"] == "message" and "layout" in task["parts_ms"] for task in found),
        "long_ones": long,
    }


def _main_thread(events: list[Event]) -> list[Event]:
    """The events of the busiest page, whole ones only, by their start."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    timed = [event for event in events if event["ph"] == "X" and (event["pid"], event["tid"]) in mains]
    busiest = Counter((event["pid"], event["tid"]) for event in timed).most_common(1)[0][0]
    own = [event for event in timed if (event["pid"], event["tid"]) == busiest]
    return sorted(own, key=lambda event: (event["ts"], -event["dur"]))


def _with_parts(events: list[Event]) -> Iterator[tuple[Event, list[Event]]]:
    """Each outermost task with what of WORDS lies in it."""
    task: Event | None = None
    inside: list[Event] = []
    for event in events:
        if event["name"] == TASK and (task is None or event["ts"] >= task["ts"] + task["dur"]):
            if task is not None:
                yield task, inside
            task, inside = event, []
        elif task is not None and event["name"] in WORDS:
            inside.append(event)
    if task is not None:
        yield task, inside
