"""Where a tick's time went, in one process and where the worker is another."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command
from django.test import Client

from races.lib.http import OwnSession
from races.lib.tracing import STAGES, Tracer
from races.models import Race
from races.models.creation import Choice, create_race
from races.views import api

pytestmark = pytest.mark.django_db


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracer]:
    found = Tracer()
    monkeypatch.setattr(api, "tracer", found)
    yield found


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's requests go to this process's views."""

    def get(session: OwnSession, url: str, timeout: float) -> requests.Response:
        found = Client().get(url.removeprefix("http://lab"))
        answer = requests.Response()
        answer.status_code, answer._content = found.status_code, found.content
        return answer

    monkeypatch.setattr(OwnSession, "get", get)


def traced(race: Race, **options: Any) -> str:
    out = io.StringIO()
    call_command("trace_tick", str(race.pk), lab="http://lab", stdout=out, **options)
    return out.getvalue()


def running_race(started_ms: int) -> Race:
    race = create_race(Choice("NOR"))
    Race.objects.filter(pk=race.pk).update(status="running", started_ms=started_ms, waits=[[5, 300]])
    race.refresh_from_db()
    return race


def test_all_stages_of_a_tick_of_this_process(tracer: Tracer, lab: None) -> None:
    race = create_race(Choice("NOR"))
    for number, stage in enumerate(STAGES):
        tracer.record(str(race.pk), 7, stage, 100 + number / 1000)
    said = traced(race)
    assert said.startswith("Tick 7")
    assert [line.split()[-1] for line in said.splitlines()[2:]] == [f"{n}.00" for n in range(7)]


def test_way_begins_at_the_records_time(tracer: Tracer, lab: None) -> None:
    race = running_race(round(time.time() * 1000) - 2000)
    for tick in (8, 9):
        due = race.event_ms(tick) / 1000 - time.time() + time.monotonic()
        for stage, after_ms in (("read", 12), ("shown", 14), ("delivered", 15)):
            tracer.record(str(race.pk), tick, stage, due + after_ms / 1000)
    said = traced(race)
    assert "The worker is another process" in said
    assert "Tick 9" in said
    rows = {line[:28].strip(): line.split() for line in said.splitlines()[3:]}
    assert float(rows["read back by the feed"][-1]) == pytest.approx(12, abs=5)
    assert float(rows["handed to every socket"][-1]) == pytest.approx(15, abs=5)
    assert rows["acknowledged by Kafka"][-3:] == ["in", "this", "process"]
    assert "Tick 8" in traced(race, tick=8)


def test_unwatched_race_is_said(tracer: Tracer, lab: None) -> None:
    with pytest.raises(CommandError, match="that a page watches"):
        traced(running_race(1))
