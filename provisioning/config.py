"""What the configuration asks for, and the names that follow from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from races.streams.topics import TOPICS

FLINK, EMBEDDED = "flink", "embedded"
BEDROCK, MANAGED = "bedrock", "confluent"  # whose language model: one on Amazon Bedrock, or the service's own
MANAGED_MODEL = "anthropic.claude-sonnet-4-6"
SOURCES = ("positions", "race_control", "car_metrics")
DERIVED = ("avg_speed", "commentary", "car_metrics_anomalies")
ONLY_WITH_ANOMALIES = ("car_metrics", "car_metrics_anomalies")
DEFAULT_URL = "https://api.confluent.cloud"
DEFAULT_MODEL = "us.anthropic.claude-sonnet-4-6"
CONNECTION = "bedrock-connection"
MODEL = "f1_commentary_generator"


@dataclass(frozen=True, slots=True)
class Aws:
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)

    @property
    def fingerprint(self) -> str:
        """Tells whether the keys changed, without holding them."""
        whole = "\0".join((self.access_key, self.secret_key, self.session_token))
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class DesiredState:
    """environment_id: somebody's own environment to build in; then environment_name is not used."""

    environment_name: str
    environment_id: str
    cloud: str
    region: str
    cluster_name: str
    pool_name: str
    max_cfu: int
    bedrock_region: str
    bedrock_model: str
    topics: Mapping[str, str]
    anomalies: bool
    engine: str
    aws: Aws | None = None
    hours: float | None = None
    consumer_group: str = "f1-leaderboard-consumer"
    flink_model: str = BEDROCK

    @property
    def borrowed(self) -> bool:
        return bool(self.environment_id)

    @property
    def journal_name(self) -> str:
        return self.environment_id or self.environment_name

    @property
    def roles(self) -> tuple[str, ...]:
        """Topics that this configuration needs."""
        return tuple(r for r in (*SOURCES, *DERIVED) if self.anomalies or r not in ONLY_WITH_ANOMALIES)

    def makers(self, commentary_by_flink: bool) -> dict[str, str]:
        """Maps each topic's role to its maker: embedded (this command) or flink (a CREATE TABLE)."""
        by_flink = {r for r in DERIVED if self.engine == FLINK and (commentary_by_flink or r != "commentary")}
        return {role: FLINK if role in by_flink else EMBEDDED for role in self.roles}

    @property
    def bedrock_endpoint(self) -> str:
        model = self.bedrock_model or DEFAULT_MODEL
        return f"https://bedrock-runtime.{self.bedrock_region}.amazonaws.com/model/{model}/invoke"


@dataclass(frozen=True, slots=True)
class Credentials:
    url: str
    key: str
    secret: str = field(repr=False)

    @property
    def lab(self) -> str:
        """The lab's id in an ownership tag: the same for everything that was made with this Cloud API key."""
        return hashlib.sha256(f"f1-streaming-lab {self.key}".encode()).hexdigest()[:12]


def read_desired_state(
    confluent: Mapping[str, Any],
    topics: Mapping[str, str],
    anomalies: bool,
    engine: str,
    environ: Mapping[str, str],
) -> DesiredState:
    key, secret = environ.get("AWS_ACCESS_KEY_ID", ""), environ.get("AWS_SECRET_ACCESS_KEY", "")
    return DesiredState(
        environment_name=confluent["environment_name"],
        environment_id=confluent["environment_id"],
        cloud=str(confluent["cloud"]).upper(),
        region=confluent["region"],
        cluster_name=confluent["kafka_cluster_name"],
        pool_name=confluent["flink_pool_name"],
        max_cfu=int(confluent["flink_max_cfu"]),
        bedrock_region=confluent["bedrock_region"],
        bedrock_model=confluent["bedrock_model"],
        topics={role: topics.get(role, TOPICS[role].name) for role in TOPICS},
        anomalies=anomalies,
        engine=engine,
        aws=Aws(key, secret, environ.get("AWS_SESSION_TOKEN", "")) if key and secret else None,
    )


def read_credentials(confluent: Mapping[str, Any], environ: Mapping[str, str]) -> Credentials:
    """Reads the Cloud API key. The environment wins, variable by variable: some keep the key in the file and the
    secret out of it."""
    url = environ.get("CONFLUENT_CLOUD_URL") or DEFAULT_URL
    key = environ.get("CONFLUENT_CLOUD_API_KEY") or confluent["cloud_api_key"]
    secret = environ.get("CONFLUENT_CLOUD_API_SECRET") or confluent["cloud_api_secret"]
    return Credentials(
        url.rstrip("/"), key.strip(), secret.strip()
    )  # a pasted key brings a space or a line's end


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that is organisation-wide or shared carries the environment's name."""

    environment: str

    @property
    def account(self) -> str:
        return _short(f"{self.environment}-lab", 64)

    def key(self, kind: str) -> str:
        return _short(f"{self.environment}-{kind}", 64)

    def statement(self, file_stem: str) -> str:
        """Makes a name of lower case, digits and hyphens, of at most 72 characters, which is what the service
        takes."""
        prefix = re.sub(r"[^a-z0-9]+", "-", self.environment.lower()).strip("-") or "lab"
        return _short(f"{prefix}-{file_stem}", 72)


def _short(name: str, limit: int) -> str:
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: limit - 9]}-{digest}"
