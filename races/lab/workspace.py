"""The SQL workspace of this process, on whichever Flink is configured."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

from django.conf import settings

from races.flink.cluster import Cluster
from races.flink.confluent import CloudFlink, load
from races.flink.gateway import Gateway, GatewayAway
from races.flink.settings import FlinkSettings
from races.flink.tables import Place, java_security
from races.lab.addresses import running_lab
from races.sql.confluent import Confluent
from races.sql.self_hosted import SelfHosted
from races.sql.service import Service
from races.sql.workspace import Workspace
from races.streams import connection
from races.streams.admin import create_topic
from races.streams.errors import StreamError

EMBEDDED = (
    "This lab runs on its own small Kafka, which Flink's clients cannot use.",
    "Run  make flink  instead of  make run : a real Kafka and a real Flink on this machine, without an account.",
)
NO_FLINK = (
    "This lab uses a configured Kafka, but no Flink is named in its configuration.",
    "Give config.yaml a  flink:  section, use  make flink , or let  provision_confluent  build one with engine: flink.",
)

_lock = threading.Lock()
_current: Workspace | None = None


def why_not() -> tuple[str, ...]:
    """Why there is no workspace here, in two lines; empty when there is one."""
    if settings.LAB.kafka is None:
        return EMBEDDED
    return () if _flink() is not None or _cloud() is not None else NO_FLINK


def _flink() -> FlinkSettings | None:
    found: FlinkSettings | None = settings.LAB.flink
    return found


def _cloud() -> CloudFlink | None:
    """What provision_confluent has written for this environment of Confluent Cloud."""
    named = settings.VARIABLES.get("F1_JOURNAL")
    folder = Path(named).absolute().parent if named else Path(settings.BASE_DIR) / ".confluent"
    return load(folder / "flink.json")


def current() -> Workspace:
    """Made when it is first asked for. Raises connection.NoKafka; call it where why_not() is empty."""
    global _current
    with _lock:
        if _current is None:
            _current = Workspace(make_service(), time.monotonic)
        return _current


def close() -> None:
    """Ends what runs in it, if it was ever used."""
    global _current
    with _lock:
        workspace, _current = _current, None
    if workspace is not None:
        workspace.close()


def make_service(terminal: bool = False) -> Service:
    """terminal: for a command, whose statements are none of the page's. Raises connection.NoKafka."""
    flink, cloud, kafka = _flink(), _cloud(), connection.current().settings
    # the same over restarts, so that what a killed lab left running is found
    mark = hashlib.sha256(f"sql workspace {settings.SECRET_KEY}".encode()).hexdigest()[:8]
    if flink is None and cloud is not None:
        return Confluent(cloud, kafka.topics.values(), f"terminal-{mark}" if terminal else mark)
    if flink is None:
        raise connection.NoKafka(" ".join(NO_FLINK))
    registry = flink.registry_url or kafka.registry_url or _own_registry()
    place = Place(
        flink.bootstrap or kafka.bootstrap,
        registry.rstrip("/"),
        kafka.registry_auth or "",
        java_security(kafka.librdkafka),
    )

    def make_topic(name: str) -> None:
        try:
            create_topic(kafka, name)
        except StreamError as error:
            raise GatewayAway(f"The table's topic cannot be made: {error}") from None

    return SelfHosted(
        Gateway(flink.gateway_url),
        Cluster(flink.rest_url),
        place,
        kafka.topics,
        f"{mark} terminal" if terminal else mark,
        make_topic,
        kafka.public,
    )


def _own_registry() -> str:
    """Raises connection.NoKafka where no lab serves it."""
    lab = running_lab()
    if not lab:
        raise connection.NoKafka("The registry is the lab's own, and no lab runs here. Start it first.")
    return f"{lab}/registry"
