"""The boxes of the guide: what is right, what is told to who is not there yet, and what is not given away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from races.live.service import service
from races.models import Alarm, Answer, InjectedFault, Race
from races.models.creation import Choice, create_race
from races.streams import connection
from races.streams.config import embedded_settings
from races.streams.registry.service import Registry

pytestmark = pytest.mark.django_db


def post(client: Client, part: str, exercise: str, answer: str) -> Any:
    return client.post(f"/lab/{part}/work/", {"exercise": exercise, "answer": answer})


def said(client: Client, part: str, exercise: str, answer: str) -> str:
    assert post(client, part, exercise, answer).status_code == 303
    return Answer.objects.get(exercise=exercise).words


def my_race(client: Client, **fields: Any) -> Race:
    client.post("/races/", {"driver": "NOR", "anomalies_asked": "1", "anomalies": "on"} | fields)
    return Race.objects.latest("created_at")


def test_the_partition_of_ones_own_race(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    here = "03-topics", "partition"
    create_race(Choice("HAM"), client="somebody else")
    assert "no race that runs" in said(client, *here, "2")
    my_race(client)
    assert "published nothing yet" in said(client, *here, "2")
    monkeypatch.setattr(service().feed, "partition_of", lambda race_id: 2)
    for wrong in ("1", "x", "", "²", "22"):
        assert "Right" not in said(client, *here, wrong)
        assert "2" not in Answer.objects.get().words
    assert said(client, *here, "2").startswith("Right")
    assert said(client, *here, "3").startswith("No")
    row = Answer.objects.get()
    assert (row.done, row.tries) == (True, 9)


def record(*fields: tuple[str, Any]) -> bytes:
    rows = [{"name": name, "type": "int"} | extra for name, extra in fields]
    return json.dumps({"schema": json.dumps({"type": "record", "name": "mine", "fields": rows})}).encode()


def test_a_schema_with_a_default_is_found_in_the_registry(client: Client, tmp_path: Path) -> None:
    registry, here = Registry(tmp_path / "registry.sqlite3"), ("03-topics", "schema")
    connection.use(connection.connect(embedded_settings("unused:1"), registry))

    def register(*fields: tuple[str, Any]) -> int:
        return registry.handle("POST", "subjects/mine-value/versions", {}, record(*fields))[0]

    assert "no version" in said(client, *here, "mine-value")
    assert "the lab's" in said(client, *here, "f1-commentary-value")
    assert register(("lap", {})) == 200
    assert "one version" in said(client, *here, "mine-value")
    assert register(("lap", {}), ("speed", {})) == 409
    registry.handle("PUT", "config/mine-value", {}, b'{"compatibility": "NONE"}')
    assert register(("lap", {}), ("speed", {})) == 200
    assert "no default" in said(client, *here, "mine-value")
    assert register(("lap", {}), ("speed", {"default": 0})) == 200
    assert said(client, *here, "mine-value").startswith("Right")


def test_without_kafka_the_box_says_so(client: Client) -> None:
    connection.use(None)
    answer = post(client, "03-topics", "schema", "mine-value")
    assert answer.status_code == 503
    assert "cannot be checked just now" in answer.content.decode()


def ended(race: Race, alarm_ms: int | None) -> None:
    InjectedFault.objects.create(
        race=race, driver_code="VER", kind="leak", start_tick=50, end_tick=90, size_c=9
    )
    if alarm_ms is not None:
        Alarm.objects.create(race=race, driver_code="VER", start_ms=alarm_ms, severity="warning")
    Race.objects.filter(pk=race.pk).update(status="finished", started_ms=0, published_tick=300)


@pytest.mark.parametrize(
    ("guess", "alarm_ms", "words", "score"),
    [
        ("ver", 60_000, "before the first", 3),
        ("VER", 9_000, "after the first", 1),
        ("NOR", None, "not ill", 0),
    ],
)
def test_a_guess_is_judged_after_the_flag(
    client: Client, guess: str, alarm_ms: int | None, words: str, score: int
) -> None:
    here = "08-anomalies", "fault"
    race = my_race(client)
    Race.objects.update(published_tick=100, started_ms=0)
    assert "three letters" in said(client, *here, "the red one")
    assert said(client, *here, guess).startswith("Kept")
    assert "already" in said(client, *here, "HAM")
    assert Answer.objects.get().given == guess
    ended(race, alarm_ms)
    for _ in range(2):
        assert words in client.get("/lab/08-anomalies/").content.decode()
    assert "no race" in said(client, *here, "HAM")
    client.get("/lab/08-anomalies/")
    assert Answer.objects.get().score == score


def test_a_race_without_readings_takes_no_guess(client: Client) -> None:
    client.post("/races/", {"driver": "NOR", "anomalies_asked": "1"})
    assert "Tick them" in said(client, "08-anomalies", "fault", "VER")


def test_a_box_that_is_not_there_is_404(client: Client) -> None:
    for part, exercise in (("03-topics", "fault"), ("99-none", "partition"), ("03-topics", "")):
        assert post(client, part, exercise, "1").status_code == 404


def test_what_was_written_is_only_text(client: Client) -> None:
    said(client, "03-topics", "partition", '"><script>alert(1)</script>')
    page = client.get("/lab/03-topics/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_each_part_leads_to_the_next_and_names_this_lab(client: Client) -> None:
    page = client.get("/lab/03-topics/", headers={"host": "localhost:8500"}).content.decode()
    assert 'href="/lab/02-first-race/" rel="prev"' in page
    assert 'href="/lab/04-confluent/" rel="next"' in page
    assert "http://localhost:8500/registry/subjects" in page
    assert "127.0.0.1:8000" not in page
    assert 'rel="prev"' not in client.get("/lab/").content.decode()
