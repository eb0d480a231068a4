"""Worker, analytics and recorder beside the web in one process, with its own Kafka unless one is configured."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from django.conf import settings

from races.lab.components import Roles, make_roles
from races.lab.preflight import only_lab, reach_kafka
from races.models.leases import break_lease
from races.streams import connection
from races.streams.config import embedded_settings
from races.streams.embedded import EmbeddedKafka
from races.streams.registry.service import Registry
from races.worker import store

SWITCH_S = 0.002


@dataclass(slots=True)
class Lab:
    """What runs beside the web server. lock: an embedded Kafka and its database belong to one process. deaths: parts
    that ended by themselves, and with them the lab."""

    roles: Roles | None = None
    kafka: EmbeddedKafka | None = None
    lock: IO[str] | None = None
    deaths: list[str] = field(default_factory=list)
    _stopping: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    def start(
        self, address: str, on_death: Callable[[str], None], say: Callable[[str], None]
    ) -> connection.Connection:
        # Worker, analytics, feed and recorder share one interpreter: short turns keep each tick on time.
        sys.setswitchinterval(SWITCH_S)
        if settings.LAB.kafka is None:
            self._embed(address)
        current = connection.current()
        if not current.settings.embedded:
            reach_kafka(current.settings, say)
        with self._stopping:
            if not self._ended:
                self.roles = make_roles(current)
                self.roles.start(on_death)
        return current

    def _embed(self, address: str) -> None:
        self.lock = only_lab(settings.VAR_DIR / "lab.lock")
        topics = settings.LAB.topics
        self.kafka = EmbeddedKafka(topics.values())
        kafka = embedded_settings(self.kafka.bootstrap, topics, f"{address}/registry/")
        connection.use(connection.connect(kafka, Registry(settings.REGISTRY_PATH)))
        store.release_all()
        break_lease()

    def stop(self) -> None:
        """Once, whoever calls first; the second caller waits for the first."""
        with self._stopping:
            self._ended = True
            roles, self.roles = self.roles, None
            if roles is not None:
                roles.stop()
            if self.kafka is not None:
                self.kafka.close()
