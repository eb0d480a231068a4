"""The exercises of parts 9 and 15, in their boxes and by check_exercise: what is right, and what is not given away."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from django.core.management import CommandError, call_command
from django.test import Client

from races.board.storage import pack_frames
from races.flink.exercises.check import Verdict
from races.lab import guide_checks
from races.lab.guide_checks import SHELL, Checked
from races.lab.guide_work import all_boxes
from races.models import Answer, BoardChunk, ControlMessage, InjectedFault, Race, Result
from races.models.creation import Choice, create_race
from races.streams import connection
from races.streams.config import embedded_settings
from races.streams.embedded import EmbeddedKafka
from races.streams.registry.service import Registry
from tests.docs.guide import GUIDE

pytestmark = pytest.mark.django_db
ME = "me"


def ended(client: str = ME) -> Race:
    race = create_race(Choice("NOR"), client=client)
    Result.objects.create(race=race, position=1, driver_code="NOR", status="finished")
    Race.objects.filter(pk=race.pk).update(status="finished", published_tick=9, started_ms=0)
    events = [
        ("pit_out", "VER", 2.4), ("pit_out", "VER", 2.2), ("pit_out", "HAM", 3.0),
        ("overtake", "NOR", None), ("overtake", "HAM", None),
    ]  # fmt: skip
    for event, (kind, code, value) in enumerate(events):
        ControlMessage.objects.create(
            race=race,
            event=event,
            tick=event,
            timestamp=0,
            type=kind,
            driver_code=code,
            value=value,
            message="-",
        )
    return race


@pytest.mark.parametrize(
    ("check", "wrong", "right"),
    [
        (guide_checks.longest_in_pits, ("HAM", "", "the red one"), "ver"),
        (guide_checks.overtakes, ("1", "22", "x", "²"), "2"),
        (guide_checks.compaction, ("440", "", "21"), "22"),
        (guide_checks.delivery, ("440", "10", "", "219"), "220"),
    ],
)
def test_answers_about_a_race_that_has_ended(
    check: Callable[[str, str], Checked], wrong: tuple[str, ...], right: str
) -> None:
    assert "no race that has ended" in check(ME, right).words
    create_race(Choice("NOR"), client=ME)
    ended("somebody else")
    assert "no race that has ended" in check(ME, right).words
    ended()
    for given in wrong:
        checked = check(ME, given)
        assert not checked.right
        assert right.upper() not in checked.words
    assert check(ME, right).right
    assert check(SHELL, right).right


def test_too_many_records_are_told_from_too_few() -> None:
    ended()
    assert "same record again" in guide_checks.delivery(ME, "440").words
    assert "first tick" in guide_checks.delivery(ME, "100").words


def test_the_panel_is_held_against_the_records() -> None:
    race = ended()
    frames: Any = [{"tick": 0, "cars": [{"speed": 312.4}, {"speed": 290.0}]}]
    BoardChunk.objects.create(race=race, first_tick=0, last_tick=0, data=pack_frames(frames))
    assert guide_checks.top_speed(ME, "312").right
    assert guide_checks.top_speed(ME, "312.4").right
    for given in ("290", "", "x"):
        assert not guide_checks.top_speed(ME, given).right


def test_a_fault_of_ones_own_is_one_that_the_lab_had_not() -> None:
    race = ended()
    InjectedFault.objects.create(
        race=race, driver_code="VER", kind="leak", start_tick=1, end_tick=2, size_c=9
    )
    assert "no fault of a new kind" in guide_checks.new_fault(ME, "leak").words
    InjectedFault.objects.create(
        race=race, driver_code="HAM", kind="slow_sensor", start_tick=1, end_tick=2, size_c=9
    )
    assert "not of this name" in guide_checks.new_fault(ME, "leak").words
    assert guide_checks.new_fault(ME, "slow_sensor").right


def test_one_seed_is_one_race_to_the_millisecond() -> None:
    gap = guide_checks._second_of_one_seed()
    for given in (f"{gap:.3f}", f"+{gap:.3f}", f"{gap:.3f} s", f"{gap:.3f}".replace(".", ",")):
        assert guide_checks.one_seed(ME, given).right
    for given in ("", f"{gap:.1f}", f"{gap + 0.001:.3f}"):
        assert not guide_checks.one_seed(ME, given).right


def test_a_json_schema_grows_by_a_property(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry.sqlite3")
    connection.use(connection.connect(embedded_settings("unused:1"), registry))

    def register(*names: str) -> int:
        text = json.dumps({"type": "object", "properties": {name: {"type": "string"} for name in names}})
        body = json.dumps({"schemaType": "JSON", "schema": text}).encode()
        return registry.handle("POST", "subjects/mine-value/versions", {}, body)[0]

    assert register("message") == 200
    assert "one version" in guide_checks.json_schema(ME, "mine-value").words
    assert register("message", "drivers") == 409
    registry.handle("PUT", "config/mine-value", {}, b'{"compatibility": "FORWARD"}')
    assert register("message", "drivers") == 200
    assert guide_checks.json_schema(ME, "mine-value").right


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as running:
        connection.use(connection.connect(embedded_settings(running.bootstrap), Registry(tmp_path / "r")))
        yield running
        connection.use(None)


def test_a_group_is_known_by_what_it_has_committed(kafka: EmbeddedKafka) -> None:
    topic = "f1-driver-positions"
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for _ in range(5):
        producer.produce(topic, b"x", partition=1)
    producer.flush(20)
    assert "committed nothing" in guide_checks.group(ME, "mine").words
    assert "a name" in guide_checks.group(ME, "").words
    reader = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "mine"})
    reader.commit(offsets=[TopicPartition(topic, 1, 3)], asynchronous=False)
    reader.close()
    checked = guide_checks.group(ME, "mine")
    assert checked.right
    assert "1 partition(s)" in checked.words
    assert "2 record(s) behind" in checked.words


def test_sql_needs_a_flink_and_a_shared_lab_does_not_count(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    registry = Registry(tmp_path / "registry.sqlite3")
    connection.use(connection.connect(embedded_settings("unused:1"), registry))
    assert guide_checks.sql(ME, "", 3).words == guide_checks.NO_FLINK
    kafka = embedded_settings("unused:1")
    object.__setattr__(kafka, "embedded", False)
    connection.use(connection.connect(kafka, registry))
    assert "No race" in guide_checks.sql(ME, "", 3).words
    ended()
    verdict = Verdict(True, 7, 7, ())
    asked: list[str] = []

    def check(*args: Any) -> Verdict:
        asked.append(args[-1])
        return verdict

    monkeypatch.setattr(guide_checks, "check_answer", check)
    assert guide_checks.sql(ME, "my-stops", 3) == Checked(True, "Right: all 7 rows are there, and no other.")
    assert guide_checks.sql(ME, "", 3).right
    assert asked == ["my-stops", "exercise-3"]
    settings.ROOM_ADDRESSES = ["http://192.168.0.2:8000"]
    shared = guide_checks.sql(ME, "", 3)
    assert not shared.right
    assert shared.words.startswith(guide_checks.SHARED)


def test_every_exercise_of_the_guide_has_its_box(client: Client) -> None:
    for box in all_boxes():
        assert (GUIDE / f"{box.part}.md").exists()
    page = client.get("/lab/09-exercises/").content.decode()
    for number in range(1, 13):
        assert f'id="work-sql-{number}"' in page
        assert f'value="exercise-{number}"' in page
    headings = (GUIDE / "09-exercises.md").read_text().count("\n## ")
    named = [box for box in all_boxes() if box.part == "09-exercises" and not box.suggested]
    assert len(named) == headings - 1, "one heading is that of the twelve in SQL"


def shell(*words: str) -> str:
    out = io.StringIO()
    with suppress(CommandError):
        call_command("check_exercise", *words, stdout=out)
    return out.getvalue()


def test_the_command_checks_what_the_boxes_check(
    monkeypatch: pytest.MonkeyPatch, kafka: EmbeddedKafka
) -> None:
    found = embedded_settings(kafka.bootstrap)
    object.__setattr__(found, "registry_url", "http://127.0.0.1:1")
    monkeypatch.setattr("races.management.commands.check_exercise.kafka_of_lab", lambda lab: found)
    assert "compaction" in shell()
    with pytest.raises(CommandError, match="There is no exercise nothing"):
        call_command("check_exercise", "nothing")
    with pytest.raises(CommandError, match="Not right yet"):
        call_command("check_exercise", "overtakes", "2", stdout=io.StringIO())
    assert "no race that has ended" in shell("overtakes", "2")
    ended()
    assert "Right" in shell("overtakes", "2")
    assert "Right" in shell("overtakes")
    assert Answer.objects.get(client=SHELL).done
