"""Each field of each answer is left out, or null, in turn: words and no traceback, and nothing stays for ever.

A sample of the fields, with `make test-full` all of them. How many that were stands at the end of the run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from provisioning.errors import ProvisioningError
from provisioning.standin.server import located
from tests.fakes.in_process_session import InProcessSession
from tests.fakes.laptop import NOTHING_STANDS, new_laptop

NAMED = re.compile(
    "(organizations|environments|clusters|compute-pools|service-accounts|api-keys|role-bindings|statements|"
    "connections|topics|subjects|config)/[^/]+"
)
SAMPLE, PIECES = 12, 4
Field = tuple[str, tuple[str, ...]]
Change = Callable[[str, Any], Any]


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


def answers_changed(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Gives each answer with JSON in it to `change`, with its call."""
    whole = InProcessSession.request

    def changed(self: InProcessSession, method: str, url: str, **given: Any) -> requests.Response:
        answer = whole(self, method, url, **given)
        if answer.ok and answer.content:
            path = NAMED.sub(r"\1/*", located(urlsplit(url).path)[2])
            answer._content = json.dumps(change(f"{method} {path}", answer.json())).encode()
        return answer

    monkeypatch.setattr(InProcessSession, "request", changed)


def fields(answer: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field of an answer; those of a list's items once."""
    if isinstance(answer, dict):
        for name, inner in answer.items():
            yield (*at, name)
            yield from fields(inner, (*at, name))
    for inner in answer if isinstance(answer, list) else ():
        yield from fields(inner, (*at, "*"))


def without(answer: Any, at: tuple[str, ...], is_there: bool) -> Any:
    """The answer without a field, or with null in it."""
    if isinstance(answer, list):
        return [without(inner, at[1:], is_there) for inner in answer] if at[0] == "*" else answer
    if not isinstance(answer, dict) or at[0] not in answer:
        return answer
    rest = {name: inner for name, inner in answer.items() if name != at[0]}
    if len(at) > 1:
        return rest | {at[0]: without(answer[at[0]], at[1:], is_there)}
    return rest | {at[0]: None} if is_there else rest


@cache
def every_field() -> list[Field]:
    """Collects them from the answers to a provision, another one and a teardown."""
    found: set[Field] = set()

    def note(call: str, answer: Any) -> Any:
        found.update((call, at) for at in fields(answer))
        return answer

    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as folder:
        answers_changed(patched, note)
        with new_laptop(Path(folder)) as laptop:
            for command in (laptop.provision, laptop.provision, laptop.teardown):
                command()
    return sorted(found)


def go_through(folder: Path, field: Field, is_there: bool) -> None:
    """Up and down while the field is missing, then down once more with whole answers."""
    asked, at = field
    with new_laptop(folder) as laptop:
        with pytest.MonkeyPatch.context() as patched:
            answers_changed(
                patched, lambda call, answer: without(answer, at, is_there) if call == asked else answer
            )
            with suppress(ProvisioningError):
                laptop.provision()
            with suppress(ProvisioningError):
                assert laptop.teardown() or laptop.snapshot() == NOTHING_STANDS, field
        assert laptop.teardown() == [], field
        assert laptop.snapshot() == NOTHING_STANDS, field


@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "null"])
def test_fields_that_are_missing(tmp_path: Path, is_there: bool, record_property: Any) -> None:
    chosen = every_field()[is_there :: len(every_field()) // SAMPLE]
    for number, field in enumerate(chosen):
        go_through(tmp_path / str(number), field, is_there)
    record_property("cases", ("a field of an answer missing or null", len(chosen)))


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "null"])
@pytest.mark.parametrize("piece", range(PIECES))
def test_every_field_missing(tmp_path: Path, piece: int, is_there: bool, record_property: Any) -> None:
    chosen = every_field()[piece::PIECES]
    for number, field in enumerate(chosen):
        go_through(tmp_path / str(number), field, is_there)
    record_property("cases", ("every field of an answer missing or null", len(chosen)))
