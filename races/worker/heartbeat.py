"""What recorder and analytics say of themselves, here and in other processes.

A web process has neither where workers run apart. Theirs then say it with the worker's heartbeat: a line for each part
that is not well, in the row that is written every two seconds anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from races.models import WorkerHeartbeat
from races.streams.producer import PublisherState
from races.worker.analytics_runner import Analysis

PARTS = ("recorder", "analytics")
WIDTH = 95  # two lines in a column of 200


def analytics_trouble(analysis: Analysis | None, publishing: PublisherState) -> str:
    if analysis is None:
        return ""
    return (analysis.error or analysis.waiting_for) if publishing.ok else publishing.text


def written(recorder: str, analytics: str) -> str:
    """For the heartbeat's row; empty where both are well."""
    said = zip(PARTS, (recorder, analytics), strict=True)
    return "\n".join(f"{part}: {_plain(words)}"[:WIDTH] for part, words in said if words)


def _plain(words: str) -> str:
    """One line, and no NUL: PostgreSQL refuses the whole heartbeat for one."""
    return " ".join(words.replace("\0", "").split())


def read(state: str) -> Mapping[str, str]:
    """By part; what else a state may say is the worker's own."""
    lines = (line.partition(": ") for line in state.splitlines())
    return {part: words for part, _, words in lines if part in PARTS}


def elsewhere(part: str, beats: Iterable[WorkerHeartbeat]) -> str:
    """Of other processes' recorder or analytics: what is wrong, and with which worker."""
    said = ((beat.owner, read(beat.state).get(part)) for beat in beats)
    return "; ".join(f"worker {owner}: {words}" for owner, words in said if words)
