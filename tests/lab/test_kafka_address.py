"""The embedded Kafka's address for other programs: the same after a restart, or another one with a word."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from races.lab.kafka_address import kafka_room, open_kafka
from races.lab.preflight import CannotStart
from races.streams.embedded import EmbeddedKafka


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_the_address_stays() -> None:
    with EmbeddedKafka() as kafka:
        first = open_kafka(kafka, "127.0.0.1", 0)
    with EmbeddedKafka() as kafka:
        assert open_kafka(kafka, "127.0.0.1", 0) == first


@pytest.mark.parametrize("text", ["", "no number", "70000", "\u00e9"])
def test_a_spoilt_file_is_no_port(folder: Path, text: str) -> None:
    (folder / "kafka.port").write_text(text, encoding="utf-8")
    with EmbeddedKafka() as kafka:
        assert open_kafka(kafka, "127.0.0.1", 0).startswith("127.0.0.1:")


def test_a_port_taken_meanwhile_is_said(folder: Path, taken: int, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "kafka.port").write_text(str(taken))
    with EmbeddedKafka() as kafka:
        address = open_kafka(kafka, "127.0.0.1", 0)
    assert address != f"127.0.0.1:{taken}"
    assert address in caplog.text


def test_a_port_that_was_asked_for_has_to_be_free(taken: int) -> None:
    with EmbeddedKafka() as kafka, pytest.raises(CannotStart, match=f"--kafka 127.0.0.1:{taken + 1}"):
        open_kafka(kafka, "127.0.0.1", taken)


def test_the_room_gets_in_only_where_it_was_let() -> None:
    assert kafka_room("127.0.0.1", "127.0.0.1:9092") == []
    assert kafka_room("192.0.2.7", "192.0.2.7:9092") == ["192.0.2.7:9092"]
    assert all(address.endswith(":9092") for address in kafka_room("0.0.0.0", "127.0.0.1:9092"))
