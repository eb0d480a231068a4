"""The state of the stand-in: one organisation, and how its parts come, change and go with time."""

import random
import ssl
import string
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from .answers import Answers
from .embedded_services import Broker, Subjects
from .latencies import Latencies
from .records import (
    Account,
    Agent,
    Binding,
    Cluster,
    Connection,
    Environment,
    Key,
    Model,
    Pool,
    Resource,
    SchemaRegistry,
    Statement,
    Topic,
)
from .tls import KafkaListener

R = TypeVar("R", bound=Resource)

A_DAY_S = 86400.0
CLOUDS = ("AWS", "GCP", "AZURE")
KAFKA_REGIONS = {
    "AWS": ("us-east-1", "us-east-2", "us-west-2", "eu-central-1", "eu-west-1", "af-south-1"),
    "GCP": ("us-central1", "europe-west4"),
    "AZURE": ("eastus", "westeurope"),
}
REGIONS_WITHOUT_FLINK = ("af-south-1",)


class Cloud:
    """Every collection keeps what was deleted too, because lists and error answers depend on it."""

    def __init__(
        self,
        latencies: Latencies,
        clock: Callable[[], float],
        seed: int,
        kafka: bool,
        answers: Answers | None = None,
    ) -> None:
        self.latencies = latencies
        self.answers = answers or Answers()
        self.now = clock
        self.lock = threading.RLock()
        self.random = random.Random(seed)
        self.kafka = kafka
        self.organization = self.uuid()
        self.organization_name = "Stand-in"
        self.address = ""
        self.environments: dict[str, Environment] = {}
        self.clusters: dict[str, Cluster] = {}
        self.registries: dict[str, SchemaRegistry] = {}
        self.pools: dict[str, Pool] = {}
        self.accounts: dict[str, Account] = {}
        self.bindings: dict[str, Binding] = {}
        self.keys: dict[str, Key] = {}
        self.topics: list[Topic] = []
        self.connections: list[Connection] = []
        self.models: list[Model] = []
        self.agents: list[Agent] = []
        self.statements: list[Statement] = []
        self.brokers: dict[str, Broker] = {}
        self.tls: ssl.SSLContext | None = None
        self.listeners: dict[str, KafkaListener] = {}  # before a cluster's Kafka, with TLS
        self.subjects: dict[str, Subjects] = {}
        self.quotas: dict[str, int] = {
            "environments": 25,
            "clusters": 20,
            "service_accounts": 1000,
            "topics": 2048,
        }

    # -- names --

    def new_id(self, prefix: str) -> str:
        return f"{prefix}-" + "".join(self.random.choices(string.ascii_lowercase + string.digits, k=6))

    def new_key_id(self) -> str:
        return "".join(self.random.choices(string.ascii_uppercase + "234567", k=16))

    def new_secret(self) -> str:
        return "cflt" + "".join(self.random.choices(string.ascii_letters + string.digits + "+/", k=60))

    def uuid(self) -> str:
        digits = f"{self.random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:]))

    @property
    def crn(self) -> str:
        return f"crn://confluent.cloud/organization={self.organization}"

    # -- coming and going --

    def made(self, resource: R, takes: float = 0.0) -> R:
        resource.created = self.now()
        resource.ready = resource.created + takes
        return resource

    def found(self, resource: R) -> R:
        """Sets the times of a resource that was there before the first call."""
        resource.created = resource.ready = self.now() - A_DAY_S
        return resource

    def delete(self, resource: Resource, takes: float = 0.0) -> None:
        if resource.deleted is None:
            resource.deleted = self.now()
            resource.gone = resource.deleted + takes
            resource.touched += 1

    def is_ready(self, resource: Resource) -> bool:
        return resource.ready <= self.now()

    def is_gone(self, resource: Resource) -> bool:
        return resource.gone is not None and resource.gone <= self.now()

    def alive(self, resources: Iterable[R]) -> list[R]:
        """Lists, oldest first, what was not deleted and is not being deleted."""
        return sorted((r for r in resources if r.deleted is None), key=lambda r: r.sequence)

    def listed(self, resources: Iterable[R]) -> list[R]:
        """Gives what a list shows: new ones late, deleted ones for too long."""
        now, latencies = self.now(), self.latencies
        return sorted(
            (
                r
                for r in resources
                if r.created + latencies.listed <= now
                and (r.gone is None or now < r.gone + latencies.unlisted)
            ),
            key=lambda r: r.sequence,
        )

    def topic(self, cluster_id: str, name: str) -> Topic | None:
        """Finds the topic of that name, also while it is marked for deletion."""
        found = [
            t for t in self.topics if (t.cluster_id, t.name) == (cluster_id, name) and not self.is_gone(t)
        ]
        return found[-1] if found else None

    def statement(self, environment_id: str, name: str) -> Statement | None:
        found = [s for s in self.statements if (s.environment_id, s.name) == (environment_id, name)]
        return next((s for s in reversed(found) if not self.is_gone(s)), None)

    def live_in(self, collection: Iterable[R], environment_id: str) -> Iterator[R]:
        return (r for r in self.alive(collection) if getattr(r, "environment_id", None) == environment_id)

    def opens_kafka(self, cluster_id: str, key_id: str, secret: str) -> bool:
        key = self.keys.get(key_id)
        known = key is not None and key.deleted is None and self.is_ready(key)
        return known and key is not None and (key.resource, key.secret) == (cluster_id, secret)

    def close(self) -> None:
        for listener in self.listeners.values():
            listener.close()
        for broker in self.brokers.values():
            broker.close()
        for subjects in self.subjects.values():
            subjects.close()
        self.brokers.clear()
