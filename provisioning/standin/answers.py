"""Where only the real service can decide, the stand-in gives the answer that it is asked for.

    python -m provisioning.standin --answers connection=active,patch=refused

The first choice of each question is the default. Tests give every choice in turn, so that no belief of ours is the
only one that is tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace


def _ask(question: str, *choices: str) -> str:
    default: str = field(default=choices[0], metadata={"question": question, "choices": choices})
    return default


@dataclass(frozen=True, slots=True)
class Answers:
    """Holds one choice for each open question. docs/confluent.md says how each can be settled."""

    connection: str = _ask("the status of a usable connection", "empty", "absent", "pending", "active")
    invalid_auth: str = _ask("whether wrong AWS keys show in the connection", "noticed", "unnoticed")
    metadata: str = _ask("the metadata of a connection", "whole", "empty", "absent")
    put: str = _ask("replacing a connection's keys", "accepted", "refused")
    first_statement: str = _ask("a statement right after its account got its role", "accepted", "not-found")
    patch: str = _ask("stopping or resuming a statement by PATCH", "accepted", "refused", "forbidden")
    stop: str = _ask("stopping a statement at all, by PATCH or PUT", "accepted", "refused")
    failed: str = _ask("resuming a FAILED statement", "refused", "accepted")
    default_pool: str = _ask("making a pool as the default one", "accepted", "ignored", "refused")
    workspace: str = _ask("a statement that names no pool", "default-pool", "refused")
    max_ecku: str = _ask("a limit for a Basic cluster", "accepted", "refused")
    dropped_topic: str = _ask("a query whose topic was dropped", "DEGRADED", "RUNNING", "FAILED")
    warnings: str = _ask("a running query", "none", "some")
    model_order: str = _ask("a detector whose p, d and q are fixed", "accepted", "refused")
    new_key: str = _ask("a key that was accepted once", "settles", "flaps")
    optional: str = _ask("fields that an answer may leave out", "there", "missing")
    quota: str = _ask("a quota that is reached", "402", "400")
    redirect: str = _ask("Flink's gateway", "none", "302", "307")

    @classmethod
    def parse(cls, text: str) -> Answers:
        """Reads `question=answer,…`. Raises ValueError with what may be asked and answered."""
        found = cls()
        for pair in filter(None, (part.strip() for part in text.split(","))):
            name, equals, choice = pair.partition("=")
            if not equals or choice not in choices_of(name):
                raise ValueError(f"{pair}: choose one of\n{table()}")
            found = replace(found, **{name: choice})
        return found


def choices_of(name: str) -> tuple[str, ...]:
    return next((f.metadata["choices"] for f in fields(Answers) if f.name == name), ())


def table() -> str:
    lines = [f"  {f.name}={'|'.join(f.metadata['choices'])}" for f in fields(Answers)]
    width = max(map(len, lines)) + 2
    return "\n".join(
        f"{line:<{width}}{f.metadata['question']}" for line, f in zip(lines, fields(Answers), strict=True)
    )


def in_turn() -> Iterator[str]:
    """Yields every choice that is no default, one at a time."""
    for question in fields(Answers):
        for choice in question.metadata["choices"][1:]:
            yield f"{question.name}={choice}"
