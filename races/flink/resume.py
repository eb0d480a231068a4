"""What the lab remembers of its statements on a self-hosted Flink, over restarts of either: a file of JSON.

For each: the newest checkpoint or savepoint to go on from, and whether somebody has stopped it. A point holds for one
text of the query and one Kafka; with another it would be another query's memory, or offsets of another log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Memory:
    """point: a checkpoint's or savepoint's address as Flink writes it; empty: none. of: which query on which Kafka."""

    point: str = ""
    of: str = ""
    stopped: bool = False


class Memories:
    """The file may be changed by another process at any time: a person stops a statement from a terminal."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, RLock()

    def of(self, name: str) -> Memory:
        return self._read().get(name, Memory())

    def points(self) -> set[str]:
        return {memory.point for memory in self._read().values() if memory.point}

    def note_point(self, name: str, point: str, of: str) -> None:
        before = self.of(name)
        if (before.point, before.of) != (point, of):
            with self._changing() as memories:
                memories[name] = Memory(point, of, memories.get(name, Memory()).stopped)

    def note_stopped(self, name: str, stopped: bool) -> None:
        with self._changing() as memories:
            before = memories.get(name, Memory())
            memories[name] = Memory(before.point, before.of, stopped)

    def usable_point(self, name: str, of: str) -> str:
        """Where to go on from; empty where there is nothing, or a file of this machine is gone."""
        memory = self.of(name)
        if memory.of != of:
            return ""
        # where Flink has replaced the point by a newer one since, that one is usable
        parts = urlsplit(memory.point)
        path = Path(unquote(parts.path))
        if not memory.point or parts.scheme != "file" or path.exists():
            return memory.point
        whole = [one.parent for one in path.parent.glob("chk-*/_metadata") if one.parent.name[4:].isdigit()]
        newest = max(whole, key=lambda one: int(one.name[4:]), default=None)
        return newest.as_uri() if newest is not None else ""

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Memory]]:
        with self._lock:
            memories = self._read()
            yield memories
            whole = self._file.with_suffix(".part")
            whole.parent.mkdir(parents=True, exist_ok=True)
            whole.write_text(json.dumps({name: asdict(one) for name, one in memories.items()}, indent=1))
            whole.replace(self._file)

    def _read(self) -> dict[str, Memory]:
        """Empty where there is no file, or somebody else wrote in it."""
        try:
            found: Any = json.loads(self._file.read_text(encoding="utf-8"))
            return {
                str(name): Memory(str(m["point"]), str(m["of"]), m["stopped"] is True)
                for name, m in found.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
