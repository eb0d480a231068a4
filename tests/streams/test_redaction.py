"""What brokers and registries say, without our names and keys: pages and /healthz show it to anybody."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.schema_registry.error import SchemaRegistryError

from races.streams.codec import Codec
from races.streams.config import StreamSettings
from races.streams.consumer import Tail
from races.streams.errors import RegistryUnavailable
from races.streams.producer import Publisher
from races.streams.registry.client import HttpRegistry
from races.streams.registry.service import Registry

SETTINGS = StreamSettings(
    embedded=False,
    librdkafka={
        "bootstrap.servers": "127.0.0.1:1",
        "sasl.username": "lab-of-norris",
        "sasl.password": "pass=word/4711",
        "ssl.key.password": "lab",
        "client.id": "f1",
    },
    registry_url="https://someone:else@registry.example:8081/path",
    registry_auth="KEY123:secret+456",
)
SAID = "User lab-of-norris with pass=word/4711 is denied; KEY123:secret+456, https://someone:else@registry.example:8081/path"


def hidden(text: str) -> bool:
    return not any(one in text for one in ("norris", "4711", "KEY123", "secret", "someone", "else"))


def test_only_secrets_are_taken_out() -> None:
    shown = SETTINGS.public(SAID)
    assert hidden(shown)
    assert shown == (
        "User [hidden] with [hidden] is denied; [hidden]:[hidden], https://registry.example:8081/path"
    )
    assert SETTINGS.public("this lab's labels") == "this [hidden]'s labels"
    assert SETTINGS.public("waiting: broker away (f1@127.0.0.1:1)") == "waiting: broker away (f1@127.0.0.1:1)"


def test_brokers_words_without_secrets() -> None:
    tail, publisher = Tail(SETTINGS, ["positions"]), Publisher(SETTINGS, Codec(SETTINGS, Registry()))
    error = KafkaError(KafkaError._ALL_BROKERS_DOWN, SAID)
    try:
        tail._away = None
        tail.on_error(error)
        assert "broker away" in tail.state.text
        assert hidden(tail.state.text)
        publisher.on_error(error)
        assert publisher._last_error
        assert hidden(publisher._last_error)
    finally:
        tail.close()
        publisher.close(0.1)


def test_registrys_words_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    client = HttpRegistry("http://127.0.0.1:1", SETTINGS.registry_auth)

    def refuse() -> None:
        raise SchemaRegistryError(500, 50001, "KEY123 is unknown, secret+456 is wrong")

    with pytest.raises(RegistryUnavailable) as told:
        client._ask(refuse)
    assert hidden(str(told.value))
    client.close()
