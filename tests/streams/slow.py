"""A registry that takes its time."""

from __future__ import annotations

import threading

from races.streams.registry.service import Registry


class Slow(Registry):
    """Answers what schema an id has when it is told to; asked: whether somebody waits for that."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answer = threading.Event(), threading.Event()

    def schema(self, schema_id: int | str) -> tuple[str, str]:
        self.asked.set()
        assert self.answer.wait(20)
        return super().schema(schema_id)
