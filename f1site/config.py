"""config.yaml and the environment, read once and checked with words.

A wrong file never half works: it raises ConfigError with the file, the line and key, what is wrong and what is
allowed, and the start ends with that one message.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from races.streams.config import DEFAULT_GROUP, StreamSettings
from races.streams.properties import refusal
from races.streams.topics import TOPICS

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
ENGINES = ("embedded", "flink")
KAFKA_TEXT = ("schema_registry_url", "schema_registry_api_key", "schema_registry_secret", "consumer_group")
COMMENTARY_TEXT = ("base_url", "model", "api_key")
CONFLUENT_DEFAULTS: dict[str, str | int] = {
    "cloud_api_key": "",
    "cloud_api_secret": "",
    "cloud": "AWS",
    "region": "us-east-2",
    "environment_name": "f1-leaderboard-env",
    "environment_id": "",
    "kafka_cluster_name": "f1-leaderboard-cluster",
    "flink_pool_name": "f1-leaderboard-flink-pool",
    "flink_max_cfu": 5,
    "bedrock_region": "us-east-1",
    "bedrock_model": "",
}
FLINK_CFUS = (5, 10, 20, 30, 40, 50)
END = 500  # of a message that is too long, at either side


class ConfigError(Exception):
    """One message of one line for the person who wrote the file. What it quotes may be anybody's: nothing in it moves
    a terminal's cursor, and what is endless is told by its ends."""

    def __init__(self, message: str) -> None:
        plain = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in message)
        super().__init__(plain if len(plain) <= 2 * END else f"{plain[:END]} … {plain[-END:]}")


@dataclass(frozen=True, slots=True)
class LanguageModel:
    base_url: str = ""
    model: str = ""
    api_key: str = field(default="", repr=False)

    @property
    def configured(self) -> bool:
        return bool(self.base_url and self.model)


@dataclass(frozen=True, slots=True)
class Lab:
    """What the person decided. kafka is None: the embedded Kafka.

    wanted_engine: as the file says; engine: what runs. Before provision_confluent and after teardown_confluent
    there is no Flink, and the lab is embedded whatever is wanted.
    """

    path: Path
    kafka: StreamSettings | None
    topics: dict[str, str]
    anomaly_detection: bool
    wanted_engine: str
    engine: str
    commentator: str  # who writes f1-commentary: embedded or flink
    commentary: LanguageModel
    confluent: dict[str, Any] = field(repr=False)


class _Section:
    """A mapping of the file that knows its lines, for messages."""

    def __init__(self, file: Path, name: str, node: yaml.Node | None) -> None:
        self.file, self.name = file, name
        self.values: dict[str, Any] = {}
        self.nodes: dict[str, yaml.Node] = {}
        self.lines: dict[str, int] = {}
        if node is None or _is_null(node):
            return
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(
                f"{_place(file, node)}: '{name or 'the file'}' must be a list of 'key: value' lines"
            )
        for key_node, value_node in node.value:
            # in words a structure could be larger than any memory
            if not isinstance(key_node, yaml.ScalarNode) or _quotes_lines(key_node):
                raise ConfigError(f"{_place(file, key_node)}: a key must be one word")
            self._add(str(key_node.value), key_node, value_node)

    def _add(self, key: str, key_node: yaml.Node, value_node: yaml.Node) -> None:
        if key in self.lines:
            raise ConfigError(f"{_place(self.file, key_node)}: '{self._full(key)}' stands twice; keep one")
        self.nodes[key] = value_node
        self.lines[key] = key_node.start_mark.line + 1

    def _full(self, key: str) -> str:
        return ".".join(part for part in (self.name, key) if part)

    def wrong(self, key: str, problem: str) -> ConfigError:
        line = self.lines.get(key)
        where = f"{self.file}, line {line}" if line else str(self.file)
        return ConfigError(f"{where}: '{self._full(key)}' {problem}")

    def section(self, key: str) -> _Section:
        return _Section(self.file, self._full(key), self.nodes.get(key))

    def only(self, allowed: tuple[str, ...], dotted: bool = False) -> None:
        for key in self.nodes:
            if key in allowed or (dotted and "." in key):
                continue
            near = difflib.get_close_matches(key, allowed, 1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise self.wrong(key, f"is not known{hint} Allowed: {', '.join(allowed)}")

    def text(self, key: str, default: str = "", allowed: tuple[str, ...] = ()) -> str:
        node = self.nodes.get(key)
        if node is None or _is_null(node):
            return default
        if not isinstance(node, yaml.ScalarNode):
            raise self.wrong(key, "must be one text value")
        if _quotes_lines(node):
            raise self.wrong(key, "goes on over several lines; is a quotation mark missing at its end?")
        value = str(node.value).strip()
        if (
            "\0" in value
        ):  # where C would end it: a group of consumers without a name ends librdkafka's process
            raise self.wrong(key, "holds a NUL character; take it out")
        if allowed and value not in allowed:
            raise self.wrong(key, f"is '{value}'; allowed: {', '.join(allowed)}")
        return value

    def address(self, key: str, default: str = "") -> str:
        value = self.text(key, default)
        if value and not _is_address(value):
            raise self.wrong(key, f"is '{value}'; it needs an address with http:// or https://")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.text(key, "true" if default else "false").lower()
        if value not in ("true", "false", "yes", "no", "on", "off"):
            raise self.wrong(key, f"is '{value}'; allowed: true, false")
        return value in ("true", "yes", "on")


def _is_address(text: str) -> bool:
    """Whether a request can be made of it, as far as that shows without asking anybody."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")  # refuses what no resolver takes: a..b, a label too long
        well_formed = parts.port is None or parts.port > 0
    except ValueError:
        return False
    printed = text.isprintable() and " " not in text
    return bool(host) and well_formed and printed and parts.scheme in ("http", "https")


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _quotes_lines(node: yaml.ScalarNode) -> bool:
    """Where a quotation mark is missing, the rest of the file is the value, keys and all: nothing to show anybody."""
    return node.style in ("'", '"') and node.start_mark.line != node.end_mark.line


def _place(file: Path, node: yaml.Node) -> str:
    return f"{file}, line {node.start_mark.line + 1}"


def _compose(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{path}{line}: is not YAML: {problem}") from error


def _topics(section: _Section) -> dict[str, str]:
    section.only(tuple(TOPICS))
    names = {role: section.text(role, topic.name) for role, topic in TOPICS.items()}
    for role, name in names.items():
        if not name or len(name) > 249 or not all((c.isalnum() and c.isascii()) or c in "._-" for c in name):
            raise section.wrong(role, f"is '{name}'; a topic name has 1 to 249 of a-z A-Z 0-9 . _ -")
    if len(set(names.values())) < len(names):
        raise section.wrong("", "names one topic twice; each needs a name of its own")
    return names


def _librdkafka(section: _Section) -> dict[str, str]:
    section.text("security.protocol", "PLAINTEXT", PROTOCOLS)
    dotted = {key: section.text(key) for key in section.nodes if "." in key}
    if not dotted.get("bootstrap.servers"):
        raise section.wrong(
            "bootstrap.servers", "is missing; write host:port, or take the kafka: section out"
        )
    if not _are_brokers(dotted["bootstrap.servers"]):
        raise section.wrong(
            "bootstrap.servers",
            f"is '{dotted['bootstrap.servers']}'; write host:port, or several with commas between",
        )
    return dotted


BROKER = re.compile(
    rf"((?:{'|'.join(PROTOCOLS)})://)?(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)(:(?P<port>\d{{1,5}}))?"
)


def _are_brokers(text: str) -> bool:
    """librdkafka would take any number for a port, and another port than that."""
    found = [BROKER.fullmatch(broker.strip()) for broker in text.split(",")]
    return all(broker and 0 < int(broker["port"] or 9092) < 65536 for broker in found)


ANOMALY_ROLES = frozenset({"car_metrics", "car_metrics_anomalies"})


def _kafka(section: _Section, topics: dict[str, str], unused: frozenset[str]) -> StreamSettings | None:
    if not section.nodes or set(section.nodes) == {"topics"}:
        return None
    section.only(
        ("bootstrap.servers", "security.protocol", "sasl.mechanism", "topics", *KAFKA_TEXT), dotted=True
    )
    librdkafka = _librdkafka(section)
    url = section.address("schema_registry_url")
    if not url:
        raise section.wrong("schema_registry_url", "is missing; write an address with http:// or https://")
    key, secret = section.text("schema_registry_api_key"), section.text("schema_registry_secret")
    kafka = StreamSettings(
        embedded=False,
        librdkafka=librdkafka,
        registry_url=url,
        registry_auth=f"{key}:{secret}" if key else None,
        topics=topics,
        group=section.text("consumer_group") or DEFAULT_GROUP,
        unused=unused,
    )
    refused = refusal(kafka)
    if refused:
        raise section.wrong(refused[0], f"{refused[1]}. Correct it or take it out")
    return kafka


def _confluent(section: _Section) -> dict[str, Any]:
    section.only(tuple(CONFLUENT_DEFAULTS))
    values: dict[str, Any] = {
        key: section.text(key, str(default)) for key, default in CONFLUENT_DEFAULTS.items()
    }
    cfu = values["flink_max_cfu"]
    if cfu not in {str(n) for n in FLINK_CFUS}:
        raise section.wrong("flink_max_cfu", f"is '{cfu}'; allowed: {', '.join(map(str, FLINK_CFUS))}")
    return values | {"flink_max_cfu": int(cfu)}


def _commentator(analytics: _Section, engine: str) -> str:
    """Flink without a language model leaves the words to the embedded commentator."""
    commentator = analytics.text("commentary", engine, ENGINES)
    if commentator == "flink" and engine == "embedded":
        raise analytics.wrong("commentary", "is 'flink', which needs analytics.engine: flink")
    return commentator


def _language_model(section: _Section) -> LanguageModel:
    section.only(COMMENTARY_TEXT)
    key = section.text("api_key")
    if not all("!" <= sign <= "~" for sign in key):  # a header takes no more; the key itself is not shown
        raise section.wrong(
            "api_key", "holds a space or a letter that no key has; copy it again, or leave it out"
        )
    found = LanguageModel(section.address("base_url"), section.text("model"), key)
    if bool(found.base_url) != bool(found.model):
        missing = "model" if found.base_url else "base_url"
        raise section.wrong(missing, "is missing; a language model needs base_url and model")
    return found


def config_path(base: Path, environ: Mapping[str, str]) -> Path:
    """F1_CONFIG's file, which must exist; else config.yaml beside manage.py, which need not."""
    named = environ.get("F1_CONFIG")
    if named and not Path(named).is_file():
        raise ConfigError(f"F1_CONFIG names {named}, which is not a file; unset it or name your config.yaml")
    return Path(named) if named else base / "config.yaml"


def read_lab(base: Path, environ: Mapping[str, str] = os.environ) -> Lab:
    """The lab's configuration. Raises ConfigError."""
    path = config_path(base, environ)
    top = _Section(path, "", _compose(path) if path.exists() else None)
    top.only(("kafka", "features", "analytics", "commentary", "confluent"))
    features, analytics = top.section("features"), top.section("analytics")
    features.only(("anomaly_detection",))
    anomaly = features.section("anomaly_detection")
    anomaly.only(("enabled",))
    analytics.only(("engine", "commentary"))
    topics = _topics(top.section("kafka").section("topics"))
    enabled = anomaly.flag("enabled", False) or environ.get("F1_ANOMALY_DETECTION") == "1"
    kafka = _kafka(top.section("kafka"), topics, frozenset() if enabled else ANOMALY_ROLES)
    wanted_engine = analytics.text("engine", "embedded", ENGINES)
    commentator = _commentator(analytics, wanted_engine)
    return Lab(
        path=path,
        kafka=kafka,
        topics=topics,
        anomaly_detection=enabled,
        wanted_engine=wanted_engine,
        engine=wanted_engine if kafka else "embedded",
        commentator=commentator if kafka else "embedded",
        commentary=_language_model(top.section("commentary")),
        confluent=_confluent(top.section("confluent")),
    )
