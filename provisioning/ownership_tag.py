"""The ownership tag: the service account's description.

Only Flink statements carry labels, and a lost laptop takes its journal with it. What the tag names is the lab's:
the environment (or the borrowed one, which stays), the cluster and the pool.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "F1 streaming lab"
SHAPE = re.compile(
    rf"^{PREFIX}: lab=(?P<lab>[0-9a-f]+) (?P<how>environment|borrowed)=(?P<environment>\S+)"
    r"(?: cluster=(?P<cluster>\S+))?(?: pool=(?P<pool>\S+))?$"
)


@dataclass(frozen=True, slots=True)
class OwnershipTag:
    lab: str
    environment: str
    borrowed: bool = False
    cluster: str = ""
    pool: str = ""

    def text(self) -> str:
        how = "borrowed" if self.borrowed else "environment"
        parts = [f"{PREFIX}: lab={self.lab} {how}={self.environment}"]
        parts += [
            f"{name}={value}" for name, value in (("cluster", self.cluster), ("pool", self.pool)) if value
        ]
        return " ".join(parts)


def read_tag(description: str) -> OwnershipTag | None:
    found = SHAPE.match(description or "")
    if not found:
        return None
    return OwnershipTag(
        lab=found["lab"],
        environment=found["environment"],
        borrowed=found["how"] == "borrowed",
        cluster=found["cluster"] or "",
        pool=found["pool"] or "",
    )
