"""Whether librdkafka takes the properties that a person wrote, asked before anything is started with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from races.streams.config import StreamSettings
from races.streams.consumer import consumer_options
from races.streams.logs import QUIET, librdkafka_log
from races.streams.producer import producer_options

BOOTSTRAP = frozenset({"bootstrap.servers", "metadata.broker.list"})  # without an address nobody is called
NOT_TAKEN = {
    "group.id": "is written as consumer_group here",
    "default.topic.config": "is not taken; write its properties themselves",  # it would need a mapping
    "transactional.id": "is not taken: the lab's producers are idempotent without transactions",
}
FILES = re.compile(r"ssl\.(?!truststore|keystore).*\.location")
NO_FILE = frozenset({"", "probe"})  # librdkafka looks for the system's certificates by itself
REMEDIES = {
    "must be set to `all`": "; write all",
    "SASL mechanism GSSAPI": "; write sasl.mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
}


def refusal(settings: StreamSettings) -> tuple[str, str] | None:
    """What the lab's own clients would raise: the property (empty where some don't go together) and why."""
    for key, why in NOT_TAKEN.items():
        if key in settings.librdkafka:
            return key, why
    files = {key: value for key, value in settings.librdkafka.items() if FILES.fullmatch(key)}
    for key, value in {**files, "schema_registry_ca": settings.registry_ca}.items():
        if value not in NO_FILE and not Path(value).exists():
            return key, f"names {value}, which is not there"  # OpenSSL's words do not say so
    given = {key: value for key, value in settings.librdkafka.items() if key not in BOOTSTRAP}
    words = _words(settings, given)
    return (_culprit(settings, given, words), f"is refused by librdkafka: {words}") if words else None


def _culprit(settings: StreamSettings, given: Mapping[str, str], words: str) -> str:
    """The one that the words name, else (they may use another name for it) the one that is refused alone too."""
    for key in sorted(given, key=len, reverse=True):
        if re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", words):
            return key
    return next((key for key, value in given.items() if _words(settings, {key: value}) == words), "")


def _words(settings: StreamSettings, given: Mapping[str, str]) -> str:
    """All three, for what one client refuses another may ignore. Empty where none refuses."""
    mechanisms = {given.get(name, "").upper() for name in ("sasl.mechanism", "sasl.mechanisms")}
    if "OAUTHBEARER" in mechanisms:
        # its client asks the token's address as soon as it is made; without SASL it does not
        given = {**given, "security.protocol": "PLAINTEXT"}
    settings = replace(settings, librdkafka=given)
    clients: tuple[tuple[Any, Mapping[str, Any]], ...] = (
        (Producer, producer_options(settings)),
        (Consumer, consumer_options(settings)),
        (AdminClient, {**QUIET, **settings.librdkafka}),
    )
    for client, options in clients:
        try:
            client(dict(options), logger=librdkafka_log)
        except KafkaException as error:
            return _one_line(error.args[0].str())
        except (TypeError, ValueError) as error:  # of the Python client, for what a file cannot hold
            return _one_line(str(error))
    return ""


def _one_line(words: str) -> str:
    """The words on one line, without the library's name for what it was about to make."""
    plain = re.sub(r"^Failed to create [a-z ]+: ", "", " ".join(words.split()))[:300].rstrip(".")
    return plain + next((remedy for sign, remedy in REMEDIES.items() if sign in plain), "")
