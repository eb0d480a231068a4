"""The REST interface of Flink's job manager, which also serves its dashboard: slots, jobs and why they fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests

from races.flink.gateway import refusal
from races.lib.http import OwnSession

TIMEOUT_S = (2.0, 10.0)
COUNTERS = ("numRecordsIn", "numRecordsOut")
MODEL_CALL = "MLPredict"  # in the name of the operator that calls a model
MOST = 2**53
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
    """read and written: by the statement since its job began. unanswered: rows for which a model gave no answer, those
    that it is being asked for included; 0 for a statement that calls none.
    """

    read: int = 0
    written: int = 0
    unanswered: int = 0


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
        """What a statement's source has read and its sink has got. Raises ClusterAway.

        Flink counts between its operators. Where all of a statement is chained to one, that one's own counters tell.
        """
        listed = self._get(f"/jobs/{job}").get("vertices")
        vertices = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        if len(vertices) == 1:
            return self._chained(f"/jobs/{job}/vertices/{vertices[0].get('id')}/subtasks/metrics")
        counts = [one["metrics"] for one in vertices if isinstance(one.get("metrics"), dict)]
        if not counts:
            return Records()
        return Records(_count(counts[0].get("write-records")), _count(counts[-1].get("read-records")))

    def _chained(self, path: str) -> Records:
        """The counters of a chain of operators; an operator's own have its name in front."""
        names = [str(one.get("id")) for one in self._objects(path)]
        asked = {
            kind: [name for name in names if MODEL_CALL in name and name.endswith(kind)] for kind in COUNTERS
        }
        wanted = [*COUNTERS, *(name for kind in COUNTERS for name in asked[kind])]
        found = self._objects(f"{path}?{urlencode({'get': ','.join(wanted), 'agg': 'sum'})}")
        sums = {str(one.get("id")): _count(one.get("sum")) for one in found}
        into, out = (sum(sums.get(name, 0) for name in asked[kind]) for kind in COUNTERS)
        return Records(sums.get(COUNTERS[0], 0), sums.get(COUNTERS[1], 0), max(0, into - out))

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
        found = self._json(path)
        if not isinstance(found, dict):
            raise ClusterAway(f"What answers at {self.url} is no job manager of Flink.")
        return found

    def _objects(self, path: str) -> list[dict[str, Any]]:
        found = self._json(path)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def _json(self, path: str) -> Any:
        """None for what is no answer of a job manager. Raises ClusterAway."""
        response = self._call("GET", path)
        try:
            return response.json() if response.status_code == 200 else None
        except ValueError:
            return None

    def _call(self, method: str, path: str) -> requests.Response:
        try:
            return self._http.request(method, self.url + path, timeout=self._timeout, allow_redirects=False)
        except requests.RequestException:
            raise ClusterAway(f"Flink's job manager does not answer at {self.url}.") from None


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and abs(value) < MOST else 0
