"""tail_topic finds a running lab by its address and prints what the topics hold."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import requests
from confluent_kafka import Producer
from django.core.management import call_command
from django.core.management.base import CommandError

from bench.services.registry_http import serve
from races.management.commands.tail_topic import NOTHING_NEW, messages
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.consumer import TailState
from races.streams.embedded import EmbeddedKafka
from races.streams.logs import QUIET
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES
from tests.streams.records import KEYS, NOW_MS, VALUES, eventually

ROOT = Path(__file__).resolve().parents[2]
OTHER_RACE = "another-race"


@pytest.fixture(scope="module")
def lab() -> Iterator[str]:
    """The address of something that answers as a lab does, with records on its topics."""
    with EmbeddedKafka(DEFAULT_NAMES.values()) as kafka, serve(Registry()) as served:
        address = served.url.removesuffix("/registry")
        served.health["kafka"] = {"bootstrap": kafka.bootstrap, "embedded": True}
        served.health["registry"] = {"url": served.url + "/"}
        settings = embedded_settings(kafka.bootstrap)
        codec = Codec(settings, served.registry)
        publisher = Publisher(settings, codec)
        for event in range(3):
            value = VALUES["race_control"] | {"event": event}
            publisher.send("race_control", KEYS["race_control"], value, NOW_MS)
            publisher.send("race_control", OTHER_RACE, value | {"race_id": OTHER_RACE}, NOW_MS)
        for role in ("avg_speed", "commentary", "car_metrics_anomalies"):
            publisher.send(role, KEYS[role], VALUES[role], NOW_MS)
        assert publisher.close(10) == 0
        raw = Producer({**QUIET, **settings.librdkafka})
        raw.produce(DEFAULT_NAMES["avg_speed"], None, codec.encode_key("avg_speed", KEYS["avg_speed"]))
        raw.produce(DEFAULT_NAMES["car_metrics"], b"no record", b"key")
        raw.flush(10)
        yield address


def printed(lab: str, name: str, count: int, *options: str) -> list[str]:
    out = io.StringIO()
    call_command(
        "tail_topic", name, "--from-beginning", "--count", str(count), "--lab", lab, *options, stdout=out
    )
    return out.getvalue().splitlines()


@pytest.mark.parametrize("name", ["race_control", "f1-race-control"])
def test_a_topic_is_known_by_its_role_and_by_its_name(lab: str, name: str) -> None:
    lines = printed(lab, name, 6)
    events = [
        json.loads(line.split("  ", 2)[2])["event"] for line in lines if str(KEYS["race_control"]) in line
    ]
    assert events == [0, 1, 2]


def test_one_races_records_are_shown_alone(lab: str) -> None:
    lines = printed(lab, "race_control", 3, "--race", OTHER_RACE)
    assert all(OTHER_RACE in line for line in lines)
    assert len(lines) == 3


def test_keys_are_shown_decoded(lab: str) -> None:
    (line,) = printed(lab, "car_metrics_anomalies", 1)
    place, key, value = line.split("  ", 2)
    assert place.endswith("@0")
    assert json.loads(key) == KEYS["car_metrics_anomalies"]
    assert json.loads(value) == VALUES["car_metrics_anomalies"]


def test_a_tombstone_is_shown_as_deleted(lab: str) -> None:
    assert printed(lab, "avg_speed", 2)[1].endswith("  deleted")


def test_what_is_no_record_is_said_to_be_none(lab: str) -> None:
    assert "cannot be decoded" in printed(lab, "car_metrics", 1)[0]


def test_an_unknown_topic_is_answered_with_the_known_ones(lab: str) -> None:
    with pytest.raises(CommandError, match="f1-race-control"):
        printed(lab, "f1-nothing", 1)


def test_without_a_lab_the_message_says_how_to_start_one() -> None:
    with pytest.raises(CommandError, match="make run"):
        printed("http://127.0.0.1:1", "race_control", 1)


class Interrupting(io.StringIO):
    def write(self, text: str) -> int:
        raise KeyboardInterrupt


def test_an_interrupt_ends_it_quietly(lab: str) -> None:
    call_command("tail_topic", "race_control", "--from-beginning", "--lab", lab, stdout=Interrupting())


def test_a_reader_that_has_seen_enough_ends_it_quietly(lab: str) -> None:
    """As `| head -n 1` does: the pipe is closed after the first line, and more is written into it."""
    producer = Producer(
        {**QUIET, "bootstrap.servers": requests.get(f"{lab}/healthz").json()["kafka"]["bootstrap"]}
    )
    command = [sys.executable, "manage.py", "tail_topic", "car_metrics", "--from-beginning", "--lab", lab]
    environment = {**os.environ, "DJANGO_SECRET_KEY": "for this test"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(1)
        process.stdout.close()

        def ended() -> bool:
            producer.produce(DEFAULT_NAMES["car_metrics"], b"one more", b"key")
            producer.flush(1)
            return process.poll() is not None

        try:
            eventually("the command ends", ended, 20)
        finally:
            process.kill()
        assert process.returncode == 0
        assert b"Traceback" not in process.stderr.read()


class SilentTopic:
    """A tail that reads nothing, then one record, then nothing again."""

    state = TailState(True, "", 0, 0, 0)

    def __init__(self, silent: int) -> None:
        self._answers = [[], ["first"], *[[] for _ in range(silent)], ["second"]]

    def poll(self, limit: int, wait_s: float) -> list[str]:
        return self._answers.pop(0)


@pytest.mark.parametrize(("silent", "said"), [(5, []), (6, [NOTHING_NEW]), (30, [NOTHING_NEW])])
def test_silent_topic_is_said_once(silent: int, said: list[str]) -> None:
    told: list[str] = []
    tail: Any = SilentTopic(silent)
    came: list[Any] = list(islice(messages(tail, told.append), 2))
    assert came == ["first", "second"]
    assert told == said
