"""What the supervisor does when a part ends. With the real parts: tests/integration/test_make_flink.py."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from races.flink.local.errors import CannotRun
from races.flink.local.supervisor import AGAIN, CALM_S, LabProcess, Supervisor


@dataclass
class Process:
    name: str
    alive: bool = True
    age_s: float = CALM_S + 1
    log: Path = Path("x.log")

    def last_error(self) -> str:
        return "out of memory"

    def ask_to_stop(self) -> None:
        self.alive = False


@dataclass
class Part:
    """Stands where Kafka or Flink stands. managers: of Flink; age_s: how old a new process already is."""

    process: Process
    managers: int = 1
    age_s: float = CALM_S + 1
    done: list[str] = field(default_factory=list)

    def task_managers(self) -> int:
        return self.managers

    def launch(self) -> None:
        self.done.append("launch")
        self.process, self.managers = Process(self.process.name, age_s=self.age_s), 1

    def await_ready(self) -> None:
        self.done.append("ready")

    def stop(self) -> None:
        self.done.append("stop")


class Roof:
    def __init__(self) -> None:
        self.kafka, self.flink = Part(Process("Kafka")), Part(Process("Flink"))
        self.said: list[str] = []
        parts: tuple[Any, Any] = (self.kafka, self.flink)
        self.supervisor = Supervisor(*parts, LabProcess([sys.executable, "-c", ""], {}), self.said.append)
        self.supervisor._heard = 1e12  # Flink has answered

    def look(self) -> None:
        self.supervisor.look()


def test_all_well_changes_nothing() -> None:
    roof = Roof()
    roof.look()
    assert not roof.said + roof.kafka.done + roof.flink.done


def test_lost_task_manager_is_cured() -> None:
    roof = Roof()
    roof.flink.managers = 0
    roof.look()
    assert roof.flink.done == ["stop", "launch", "ready"]
    assert roof.said == [
        "Flink has lost its task manager, which it never replaces; it is started anew",
        "Flink is back",
    ]
    assert not roof.kafka.done


@pytest.mark.parametrize("name", ["kafka", "flink"])
def test_killed_part_is_started_anew(name: str) -> None:
    roof = Roof()
    part = getattr(roof, name)
    part.process.alive = False
    roof.look()
    assert part.done == ["stop", "launch", "ready"]


def test_part_that_ends_again_and_again_ends_all() -> None:
    roof = Roof()
    roof.flink.age_s = 1.0
    with pytest.raises(CannotRun, match=rf"Flink ended, {AGAIN} times in a row: out of memory"):
        for _ in range(AGAIN + 2):
            roof.flink.process.alive = False
            roof.look()
    assert roof.flink.done.count("launch") == AGAIN
