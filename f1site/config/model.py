"""The keys of config.yaml, their types and their defaults: the one model that the lab and editors read.

`python -m f1site.config` prints its JSON Schema, which stands as config.schema.json beside config.yaml.example.
A validator's message continues the sentence "FILE, line N: 'key' …".
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from races.streams.config import DEFAULT_GROUP
from races.streams.topics import TOPICS

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
ENGINES = ("embedded", "flink")
OWN_REGISTRY = "own"
FLINK_CFUS = (5, 10, 20, 30, 40, 50)
BROKER = re.compile(
    rf"((?:{'|'.join(PROTOCOLS)})://)?(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)(:(?P<port>\d{{1,5}}))?"
)
T = TypeVar("T")


def is_address(text: str) -> bool:
    """Whether a request can be made of it, as far as that shows without asking anybody."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")  # refuses what no resolver takes: a..b, a label too long
        well_formed = parts.port is None or parts.port > 0
    except ValueError:
        return False
    printed = text.isprintable() and " " not in text
    return bool(host) and well_formed and printed and parts.scheme in ("http", "https")


def are_brokers(text: str) -> bool:
    """librdkafka would take any number for a port, and then use another one."""
    found = [BROKER.fullmatch(broker.strip()) for broker in text.split(",")]
    return all(broker and 0 < int(broker["port"] or 9092) < 65536 for broker in found)


def _address(text: str) -> str:
    if "," in text and all(is_address(one.strip()) for one in text.split(",")):
        raise ValueError("names several addresses; write one of them")
    if text and not is_address(text):
        raise ValueError(f"is '{text}'; it needs an address with http:// or https://")
    return text


def _brokers(text: str) -> str:
    if text and not are_brokers(text):
        raise ValueError(f"is '{text}'; write host:port, or several with commas between")
    return text


def _topic_name(name: str) -> str:
    if not name or len(name) > 249 or not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise ValueError(f"is '{name}'; a topic name has 1 to 249 of a-z A-Z 0-9 . _ -")
    return name


def _api_key(text: str) -> str:
    if not all("!" <= sign <= "~" for sign in text):  # a header takes no more; the key itself is not shown
        raise ValueError("holds a space or a letter that no key has; copy it again, or leave it out")
    return text


def comma_separated(given: object) -> object:
    """The parts of a text that names several, as the environment writes a list."""
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


def _cfu(number: int) -> int:
    if number not in FLINK_CFUS:
        raise ValueError(f"is '{number}'; allowed: {', '.join(map(str, FLINK_CFUS))}")
    return number


Address = Annotated[str, AfterValidator(_address), Field(json_schema_extra={"format": "uri"})]
RegistryAddress = Annotated[
    str, AfterValidator(lambda text: text if text == OWN_REGISTRY else _address(text))
]
Brokers = Annotated[str, AfterValidator(_brokers)]
TopicName = Annotated[str, AfterValidator(_topic_name)]
ApiKey = Annotated[str, AfterValidator(_api_key)]
Protocol = Annotated[
    Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
    # librdkafka takes either case
    BeforeValidator(lambda given: given.upper() if isinstance(given, str) else given),
]
Engine = Literal["embedded", "flink"]
Event = Literal["flags", "overtakes"]
Secret = Annotated[str, Field(repr=False)]


class Section(BaseModel):
    """A mapping of the file with only the keys that are named here."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Topics(Section):
    """Other names for the topics, if these are taken."""

    positions: TopicName = TOPICS["positions"].name
    race_control: TopicName = TOPICS["race_control"].name
    commentary: TopicName = TOPICS["commentary"].name
    car_metrics: TopicName = TOPICS["car_metrics"].name
    car_metrics_anomalies: TopicName = TOPICS["car_metrics_anomalies"].name
    avg_speed: TopicName = TOPICS["avg_speed"].name

    @model_validator(mode="after")
    def _each_its_own(self) -> Topics:
        if len(set(dict(self).values())) < len(dict(self)):
            raise ValueError("names one topic twice; each needs a name of its own")
        return self


LIBRDKAFKA_SCHEMA: dict[str, Any] = {
    "patternProperties": {
        r"\.": {"type": ["string", "number", "boolean"], "description": "A property of librdkafka."}
    },
    "additionalProperties": False,
}


class Kafka(Section):
    """A Kafka and a Schema Registry of one's own. Any other key with a dot in it goes to librdkafka."""

    model_config = ConfigDict(extra="allow", json_schema_extra=LIBRDKAFKA_SCHEMA)
    __pydantic_extra__: dict[str, str] = Field(init=False, repr=False)

    bootstrap_servers: Brokers = Field(default="", alias="bootstrap.servers")
    """Where Kafka answers: host:port, or several with commas between."""
    security_protocol: Protocol = Field(default="PLAINTEXT", alias="security.protocol")
    """Confluent Cloud needs SASL_SSL."""
    sasl_mechanism: str = Field(default="", alias="sasl.mechanism")
    """With SASL only: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER."""
    sasl_username: Secret = Field(default="", alias="sasl.username")
    """A Kafka API key."""
    sasl_password: Secret = Field(default="", alias="sasl.password")
    """Its secret."""
    schema_registry_url: RegistryAddress = ""
    """The registry's address; or own: the lab's own registry, beside this Kafka."""
    schema_registry_api_key: Secret = ""
    """A Schema Registry API key, where it asks for one."""
    schema_registry_secret: Secret = ""
    """Its secret."""
    schema_registry_ca: str = ""
    """A file of certificates, where the registry's own authority signed its certificate."""
    topics: Topics = Topics()
    consumer_group: str = DEFAULT_GROUP
    """The name that consumers give themselves; nothing is committed under it."""


class AnomalyDetection(Section):
    """Engine readings and the watch over them."""

    enabled: bool = False
    """true: engine readings are produced and watched."""


class Features(Section):
    """What the lab can do beyond the race."""

    anomaly_detection: AnomalyDetection = AnomalyDetection()


class Analytics(Section):
    """The place where average speeds, commentary and anomalies are computed."""

    engine: Engine = "embedded"
    """embedded: in the lab itself. flink: Flink SQL."""
    commentary: Engine | None = None
    """Who writes the commentary; without the key: the engine."""


class Commentary(Section):
    """A language model behind an OpenAI-compatible address, for the embedded commentator or a Flink of one's own."""

    base_url: Address = ""
    """For example http://localhost:11434/v1."""
    model: str = ""
    """The model's name there."""
    api_key: Annotated[ApiKey, Field(repr=False)] = ""
    """Where it asks for one."""
    flink_model: Literal["bedrock", "confluent"] = "bedrock"
    """On Confluent Cloud: Amazon Bedrock with your AWS keys, or the service's own managed model (early access)."""

    @property
    def configured(self) -> bool:
        return bool(self.base_url and self.model)


class Flink(Section):
    """A Flink of one's own, for analytics.engine: flink. Without this section it is Confluent Cloud's."""

    gateway_url: Address = ""
    """Flink's SQL gateway, for example http://127.0.0.1:8083."""
    rest_url: Address = ""
    """Flink's job manager, which serves the dashboard too: http://127.0.0.1:8081."""
    bootstrap_servers: Brokers = Field(default="", alias="bootstrap.servers")
    """Kafka as Flink sees it, where that is another address than the lab's, as in containers."""
    schema_registry_url: Address = ""
    """The registry as Flink sees it, where that is another address."""


class Webhook(Section):
    """Flags and overtakes, posted as JSON to an address as they happen. Off without an address."""

    url: Address = ""
    """Where to post."""
    events: Annotated[tuple[Event, ...], BeforeValidator(comma_separated)] = ("flags", "overtakes")
    """flags, overtakes, or both."""
    allow_private: bool = False
    """true: the address may lie in the lab's own network or on this machine."""


class Confluent(Section):
    """Confluent Cloud, for provision_confluent only. The environment's variables win."""

    cloud_api_key: Secret = ""
    """CONFLUENT_CLOUD_API_KEY."""
    cloud_api_secret: Secret = ""
    """CONFLUENT_CLOUD_API_SECRET."""
    cloud: str = "AWS"
    region: str = "us-east-2"
    environment_name: str = "f1-leaderboard-env"
    environment_id: str = ""
    """An environment of yours to build in; it is never deleted."""
    kafka_cluster_name: str = "f1-leaderboard-cluster"
    flink_pool_name: str = "f1-leaderboard-flink-pool"
    flink_max_cfu: Annotated[
        int, AfterValidator(_cfu), Field(json_schema_extra={"enum": list(FLINK_CFUS)})
    ] = 5
    bedrock_region: str = "us-east-1"
    """Where the commentary's model runs."""
    bedrock_model: str = ""
    """A Bedrock model id; empty: Claude Sonnet 4.6."""


class Configuration(Section):
    """config.yaml of the F1 streaming lab. Without the file the lab carries its own Kafka and needs nothing here."""

    kafka: Kafka = Kafka()
    features: Features = Features()
    analytics: Analytics = Analytics()
    commentary: Commentary = Commentary()
    flink: Flink = Flink()
    webhook: Webhook = Webhook()
    confluent: Confluent = Confluent()


def section_names(model: type[BaseModel]) -> dict[str, type[Section]]:
    """The keys of a model that hold a section, and the section's model."""
    return {
        name: field.annotation
        for name, field in model.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }


def keys_of(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys as a person writes them in the file."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def allowed_values(model: type[BaseModel], name: str) -> tuple[str, ...]:
    return tuple(str(value) for value in get_args(model.model_fields[name].annotation))
