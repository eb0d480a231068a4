"""config.yaml and the environment, read once into one model and checked with words.

A wrong file never half works: it raises ConfigError with the file, the line and key, what is wrong and what is
allowed, and the start ends with that one message.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from f1site.config.errors import ConfigError as ConfigError
from f1site.config.errors import EnvironmentProblem
from f1site.config.model import (
    OWN_REGISTRY,
    Commentary,
    Configuration,
    Kafka,
    keys_of,
    section_names,
)
from f1site.config.pasted import as_meant, unknown
from f1site.config.source import Key, Source, read_source
from races.flink.settings import FlinkSettings
from races.streams.config import DEFAULT_GROUP, StreamSettings
from races.streams.properties import refusal
from races.streams.redaction import SECRET
from races.worker.webhook import WebhookSettings

ANOMALY_ROLES = frozenset({"car_metrics", "car_metrics_anomalies"})
SECTION_VARIABLE = "F1_"  # F1_KAFKA__SASL_PASSWORD is kafka: sasl.password
ANOMALY_VARIABLE = "F1_ANOMALY_DETECTION"
MISSING = {
    "bootstrap.servers": "is missing; write host:port, or take the kafka: section out",
    "schema_registry_url": "is missing; write an address with http:// or https://, or own for the lab's own registry",
}


@dataclass(frozen=True, slots=True)
class Lab:
    """What the person decided. kafka is None: the embedded Kafka.

    wanted_engine: as the file says; engine: what runs. Before provision_confluent and after teardown_confluent
    there is no Flink, and the lab is embedded whatever is wanted. commentator: who writes f1-commentary, embedded or
    flink.
    """

    path: Path
    kafka: StreamSettings | None
    topics: dict[str, str]
    anomaly_detection: bool
    wanted_engine: str
    engine: str
    commentator: str
    commentary: Commentary
    confluent: dict[str, Any] = field(repr=False)
    flink: FlinkSettings | None = None  # a Flink of one's own; None: Confluent Cloud's
    webhook: WebhookSettings | None = field(default=None, repr=False)  # its address may be a key


def config_path(base: Path, environ: Mapping[str, str]) -> Path:
    """F1_CONFIG's file, which must exist; else config.yaml beside manage.py, which need not."""
    named = environ.get("F1_CONFIG")
    if named and not Path(named).is_file():
        raise EnvironmentProblem(
            f"F1_CONFIG names {named}, which is not a file; unset it or name your config.yaml"
        )
    return Path(named) if named else base / "config.yaml"


def read_lab(base: Path, environ: Mapping[str, str] = os.environ) -> Lab:
    """The lab's configuration. Raises ConfigError."""
    source = read_source(config_path(base, environ))
    # F1_SECTION__KEY sets a key of the file, and F1_ANOMALY_DETECTION is the short form of one of them
    sections = section_names(Configuration)
    for name, value in environ.items():
        first, *rest = name.removeprefix(SECTION_VARIABLE).lower().split("__")
        if name.startswith(SECTION_VARIABLE) and rest and first in sections and value.strip():
            if first == "kafka" and rest[0] not in keys_of(Kafka):
                rest = [rest[0].replace("_", "."), *rest[1:]]  # librdkafka's names have dots only
            source.set((first, *rest), value, name)
    if short := environ.get(ANOMALY_VARIABLE, "").strip():
        source.set(("features", "anomaly_detection", "enabled"), short, ANOMALY_VARIABLE)
    as_meant(source, environ)
    try:
        checked = Configuration.model_validate(source.values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise _config_error(source, min(details, key=lambda one: one["type"] != "extra_forbidden")) from None
    return _lab(source, checked)


def default_lab(base: Path) -> Lab:
    """The lab without a configuration, for what must load although the person's own is wrong."""
    source = Source(base / "config.yaml")
    return _lab(source, Configuration())


def _config_error(source: Source, error: ErrorDetails) -> ConfigError:
    """The contract's message of what pydantic found. A secret's value is not in it."""
    path = tuple(map(str, error["loc"]))
    context = error.get("ctx", {})
    given = "" if SECRET.search(path[-1]) else error["input"]
    allowed = str(context.get("expected")).replace("'", "").replace(" or ", ", ")
    words: dict[str, Callable[[], str]] = {
        "extra_forbidden": lambda: unknown(path[-1], _keys_at(path[:-1])),
        "value_error": lambda: str(context["error"]),
        "literal_error": lambda: f"is '{given}'; allowed: {allowed}",
        "bool_parsing": lambda: f"is '{given}'; allowed: true, false",
        "int_parsing": lambda: f"is '{given}'; it must be a whole number",
        "string_type": lambda: "must be one text value",
        "model_type": lambda: "must be a list of 'key: value' lines",
    }
    return source.wrong(path, words.get(error["type"], lambda: "must be one text value")())


def _keys_at(path: Key) -> tuple[str, ...]:
    model: Any = Configuration
    for key in path:
        model = section_names(model)[key]
    return keys_of(model)


def _lab(source: Source, found: Configuration) -> Lab:
    topics = dict(found.kafka.topics)
    anomalies = found.features.anomaly_detection.enabled
    kafka = _kafka(source, found.kafka, topics, frozenset() if anomalies else ANOMALY_ROLES)
    engine = found.analytics.engine
    if bool(found.commentary.base_url) != bool(found.commentary.model):
        missing = "model" if found.commentary.base_url else "base_url"
        raise source.wrong(("commentary", missing), "is missing; a language model needs base_url and model")
    if not source.section(("flink",)):
        flink = None
    else:
        for key, whose in (("gateway_url", "SQL gateway"), ("rest_url", "job manager")):
            if not getattr(found.flink, key):
                raise source.wrong(("flink", key), f"is missing; write the address of Flink's {whose}")
        flink = FlinkSettings(
            found.flink.gateway_url,
            found.flink.rest_url,
            found.flink.bootstrap_servers,
            found.flink.schema_registry_url,
        )
    # a Flink of one's own without a language model leaves the words to the embedded commentator
    silent = flink is not None and not found.commentary.configured
    commentator = found.analytics.commentary or ("embedded" if silent else found.analytics.engine)
    if commentator == "flink" and found.analytics.engine == "embedded":
        raise source.wrong(("analytics", "commentary"), "is 'flink', which needs analytics.engine: flink")
    if commentator == "flink" and silent:
        words = "is 'flink', which needs a model in the commentary: section"
        raise source.wrong(("analytics", "commentary"), words)
    return Lab(
        path=source.file,
        kafka=kafka,
        topics=topics,
        anomaly_detection=anomalies,
        wanted_engine=engine,
        engine=engine if kafka else "embedded",
        commentator=commentator if kafka else "embedded",
        commentary=found.commentary,
        confluent=found.confluent.model_dump(),
        flink=flink,
        webhook=WebhookSettings(**dict(found.webhook)) if found.webhook.url else None,
    )


def _kafka(
    source: Source, found: Kafka, topics: dict[str, str], unused: frozenset[str]
) -> StreamSettings | None:
    """None: the embedded Kafka. The properties are tried on librdkafka's own clients, which call nobody."""
    given = source.section(("kafka",))
    if not given.keys() - {"topics"}:
        return None
    for key, words in MISSING.items():
        if not given.get(key):
            raise source.wrong(("kafka", key), words)
    properties: dict[str, str] = found.model_dump(by_alias=True, exclude_unset=True)
    own = found.schema_registry_url == OWN_REGISTRY
    registry = (found.schema_registry_api_key, found.schema_registry_secret)
    kafka = StreamSettings(
        embedded=False,
        # every given key with a dot, and the few of one word that librdkafka knows
        librdkafka={
            key: value for key, value in properties.items() if "." in key or key not in keys_of(Kafka)
        },
        registry_url="" if own else found.schema_registry_url,
        own_registry=own,
        registry_auth=":".join(registry) if registry[0] else None,
        registry_ca=found.schema_registry_ca,
        topics=topics,
        group=found.consumer_group or DEFAULT_GROUP,
        unused=unused,
    )
    refused = refusal(kafka)
    if refused:
        raise source.wrong(
            tuple(filter(None, ("kafka", refused[0]))), f"{refused[1]}. Correct it or take it out"
        )
    return kafka
