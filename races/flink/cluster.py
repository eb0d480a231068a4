"""The REST interface of Flink's job manager, which also serves its dashboard: slots, jobs and why they fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from races.flink.gateway import refusal
from races.lib.http import OwnSession

TIMEOUT_S = (2.0, 10.0)
ENDED = frozenset({"FINISHED", "CANCELED", "FAILED"})


class ClusterAway(Exception):
    """The job manager does not answer, or not as one does. One line for a person."""


@dataclass(frozen=True, slots=True)
class Slots:
    total: int
    free: int
    task_managers: int


@dataclass(frozen=True, slots=True)
class Job:
    """state: Flink's own word, for example RUNNING or RESTARTING."""

    id: str
    name: str
    state: str

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Records:
    """Flink counts between its operators, so a statement of one operator counts none."""

    read: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """path: its address, for a job that goes on from it. at_ms: when it was whole; 0: there is none yet."""

    path: str = ""
    at_ms: int = 0


class Cluster:
    def __init__(self, url: str, timeout: tuple[float, float] = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._http = OwnSession()

    def slots(self) -> Slots:
        """Raises ClusterAway."""
        found = self._get("/overview")
        return Slots(
            _count(found.get("slots-total")),
            _count(found.get("slots-available")),
            _count(found.get("taskmanagers")),
        )

    def jobs(self) -> list[Job]:
        """All that the job manager remembers, ended ones included. Raises ClusterAway."""
        listed = self._get("/jobs/overview").get("jobs")
        jobs = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return [Job(*(str(one.get(part) or "") for part in ("jid", "name", "state"))) for one in jobs]

    def root_cause(self, job: str) -> str:
        """Why a job failed or restarts, in one line; empty when it did not. Raises ClusterAway."""
        history = self._get(f"/jobs/{job}/exceptions?maxExceptions=1").get("exceptionHistory")
        entries = history.get("entries") if isinstance(history, dict) else None
        newest = entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else {}
        trace = str(newest.get("stacktrace") or "")
        return str(refusal(trace)) if trace else ""

    def records(self, job: str) -> Records:
        """What a statement's source has read and its sink has got. Raises ClusterAway."""
        listed = self._get(f"/jobs/{job}").get("vertices")
        metrics = (
            [one.get("metrics") for one in listed if isinstance(one, dict)]
            if isinstance(listed, list)
            else []
        )
        counts = [one for one in metrics if isinstance(one, dict)]
        if not counts:
            return Records()
        return Records(_count(counts[0].get("write-records")), _count(counts[-1].get("read-records")))

    def checkpoint(self, job: str) -> Checkpoint:
        """The newest one that is whole. Raises ClusterAway."""
        latest = self._get(f"/jobs/{job}/checkpoints").get("latest")
        found = latest.get("completed") if isinstance(latest, dict) else None
        if not isinstance(found, dict):
            return Checkpoint()
        return Checkpoint(str(found.get("external_path") or ""), _count(found.get("latest_ack_timestamp")))

    def cancel(self, job: str) -> None:
        """Asks for the job's end; a job that has ended already is fine. Raises ClusterAway."""
        self._call("PATCH", f"/jobs/{job}?mode=cancel")

    def close(self) -> None:
        self._http.close()

    def _get(self, path: str) -> dict[str, Any]:
        response = self._call("GET", path)
        try:
            found = response.json() if response.status_code == 200 else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ClusterAway(f"What answers at {self.url} is no job manager of Flink.")
        return found

    def _call(self, method: str, path: str) -> requests.Response:
        try:
            return self._http.request(method, self.url + path, timeout=self._timeout, allow_redirects=False)
        except requests.RequestException:
            raise ClusterAway(f"Flink's job manager does not answer at {self.url}.") from None


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
