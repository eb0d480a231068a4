"""Component status: what is wrong with recorder and analytics, here and in other processes.

A web process has neither where workers run apart. The worker's heartbeat then carries a line for each component that is
not well, in the row that is written every two seconds anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from races.models import WorkerHeartbeat
from races.streams.producer import Publisher, PublisherState
from races.worker.analytics_runner import AnalyticsRunner

COMPONENTS = ("recorder", "analytics")
WIDTH = 95  # two lines in a column of 200


class HasTrouble(Protocol):
    @property
    def trouble(self) -> str:
        """What is wrong; empty while nothing is."""


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """The components of this process, as /healthz and the worker's heartbeat describe them."""

    recorder: HasTrouble
    analytics: AnalyticsRunner | None
    publishers: Sequence[Publisher]
    flink: HasTrouble | None = None  # what deploys the lab's queries on a Flink of one's own

    def problems(self) -> dict[str, str]:
        """Component -> what is wrong with it; empty where it is well."""
        publishing, analytics = self.publishing, ""
        if self.analytics is not None and not publishing.ok:
            analytics = publishing.text
        elif self.analytics is not None:
            analytics = self.analytics.trouble
        return {"recorder": self.recorder.trouble, "analytics": analytics or self._flink_trouble()}

    def heartbeat_state(self) -> str:
        """The problems as other processes read them. Analytics that are only starting are no problem of theirs."""
        publishing = self.publishing
        return to_state(self.recorder.trouble, self._flink_trouble() if publishing.ok else publishing.text)

    def _flink_trouble(self) -> str:
        return self.flink.trouble if self.flink is not None else ""

    @property
    def publishing(self) -> PublisherState:
        """The state of the publisher that is worst off."""
        states = [publisher.state for publisher in self.publishers]
        return min(states, key=lambda state: (state.ok, -state.waiting))


def to_state(recorder: str, analytics: str) -> str:
    """The problems as the heartbeat's row has them; empty where both are well."""
    lines = []
    for component, words in zip(COMPONENTS, (recorder, analytics), strict=True):
        if words:
            one_line = " ".join(words.replace("\0", "").split())  # PostgreSQL refuses a whole row for a NUL
            lines.append(f"{component}: {one_line}"[:WIDTH])
    return "\n".join(lines)


def from_state(state: str) -> Mapping[str, str]:
    """Component -> what is wrong with it. Any other text in a state is about the worker itself."""
    lines = (line.partition(": ") for line in state.splitlines())
    return {component: words for component, _, words in lines if component in COMPONENTS}


def problems_elsewhere(component: str, beats: Iterable[WorkerHeartbeat]) -> str:
    """What is wrong with a component in other processes, and with whose worker."""
    found = ((beat.owner, from_state(beat.state).get(component)) for beat in beats)
    return "; ".join(f"worker {owner}: {words}" for owner, words in found if words)
