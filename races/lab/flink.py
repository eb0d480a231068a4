"""The lab's queries on a Flink of one's own: what the deployer needs of configuration, Kafka and database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections
from django.db.models import Min
from django.utils import timezone

from races.flink.cluster import Cluster
from races.flink.deployer import Deployer, Source
from races.flink.dialect import Model, Query, lab_mark, queries, wanted_groups
from races.flink.gateway import Gateway
from races.flink.resume import Memories
from races.flink.settings import FlinkSettings
from races.flink.tables import Place, java_security
from races.models import Race
from races.streams.admin import cluster_id
from races.streams.config import StreamSettings
from races.streams.connection import Connection
from races.streams.errors import StreamError

EARLIER_MS = 60_000  # of a race that starts while its query is being planned


def wanted_queries() -> list[Query]:
    """What this lab's configuration leaves to Flink."""
    lab = settings.LAB
    groups = wanted_groups(lab.anomaly_detection, lab.commentator == "flink")
    model = lab.commentary
    given = Model(model.base_url, model.model, model.api_key) if model.configured else None
    return queries(groups, lab.topics, given, own_mark())


def own_mark() -> str:
    """This lab's mark in the names of its statements."""
    kafka: StreamSettings | None = settings.LAB.kafka
    return lab_mark(flink_settings().bootstrap or (kafka.bootstrap if kafka else ""), settings.LAB.topics)


def memories() -> Memories:
    return Memories(Path(settings.VAR_DIR) / "flink" / "statements.json")


def flink_settings() -> FlinkSettings:
    """Raises RuntimeError where none is configured."""
    found: FlinkSettings | None = settings.LAB.flink
    if found is None:
        raise RuntimeError("config.yaml has no flink: section")
    return found


def place(kafka: Connection) -> Place:
    """Kafka and registry as Flink sees them."""
    flink, streams = flink_settings(), kafka.settings
    return Place(
        flink.bootstrap or streams.bootstrap,
        flink.registry_url or streams.registry_url,
        streams.registry_auth or "",
        java_security(streams.librdkafka),
    )


def make_deployer(kafka: Connection, may_deploy: Callable[[], bool]) -> Deployer | None:
    """None where the lab's analytics are not on a Flink of one's own."""
    if settings.LAB.engine != "flink" or settings.LAB.flink is None:
        return None
    flink = flink_settings()
    return Deployer(
        Gateway(flink.gateway_url),
        Cluster(flink.rest_url),
        wanted_queries(),
        lambda: _source(kafka),
        memories(),
        may_deploy,
    )


def _source(kafka: Connection) -> Source:
    """Raises RuntimeError with one line where Kafka, the registry or the database is away."""
    try:
        kafka.codec.prepare()
        # what lies before the start of the oldest race that runs is history already
        close_old_connections()  # this thread belongs to no request, whose end would do it
        now = int(timezone.now().timestamp() * 1000)
        oldest = Race.objects.active().aggregate(oldest=Min("started_ms"))["oldest"]
        return Source(
            kafka.settings.topics,
            place(kafka),
            cluster_id(kafka.settings),
            kafka.codec.schema_id("commentary"),
            int(oldest or now) - EARLIER_MS,
        )
    except (StreamError, AnyDatabaseError) as error:
        raise RuntimeError(str(error)) from None
