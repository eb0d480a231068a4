"""What the workspace needs of a Flink, whichever one is configured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from races.flink.gateway import Page

NOW, RACE, BEGINNING = "now", "race", "beginning"


@dataclass(frozen=True, slots=True)
class Start:
    """The place where a statement begins to read the lab's topics. millis: the instant of RACE, epoch milliseconds."""

    mode: str = BEGINNING
    millis: int = 0

    def options(self, prefix: str = "") -> dict[str, str]:
        """As options of Flink's Kafka connector, with a prefix before each name."""
        modes = {NOW: "latest-offset", BEGINNING: "earliest-offset", RACE: "timestamp"}
        options = {"scan.startup.mode": modes[self.mode]}
        if self.mode == RACE:
            options["scan.startup.timestamp-millis"] = str(self.millis)
        return {prefix + name: value for name, value in options.items()}


@dataclass(frozen=True, slots=True)
class About:
    """What the page says of the Flink. free and slots: None where they have no meaning. trouble: why nothing runs
    there just now, in one line; empty when it does. short_names: whether a table can be called by its role."""

    title: str
    address: str
    cost: str
    dashboard: str = ""
    free: int | None = None
    slots: int | None = None
    trouble: str = ""
    short_names: bool = True


@dataclass(frozen=True, slots=True)
class Watched:
    """How a statement without a result does. words: why it failed."""

    ended: bool
    words: str = ""


class Running(Protocol):
    """One statement. Calls raise GatewayError."""

    def fetch(self) -> Page:
        """The next page; it does not wait for rows."""

    def watch(self) -> Watched:
        """The state of an INSERT whose job has begun."""

    def stop(self) -> None:
        """Ends the statement and its job. One that has ended already is fine."""


class Connection(Protocol):
    """One person's session. Calls raise GatewayError and NotAllowed."""

    def start(self, sql: str, start: Start) -> Running: ...

    def keep(self) -> None:
        """Now and then, so that it is not taken for idle."""

    def close(self) -> None: ...


class Service(Protocol):
    """own: the lab's tables and topics, which the workspace does not write."""

    own: frozenset[str]

    def about(self) -> About:
        """Never raises: what is wrong is in `trouble`."""

    def open(self, person: str) -> Connection: ...

    def end_leftovers(self) -> int:
        """Ends the statements that an earlier process of this lab has left, and counts them."""
