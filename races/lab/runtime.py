"""The runtime of the lab in one process: worker, analytics and recorder, and a Kafka of its own unless one is
configured.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import IO

from django.conf import settings

from races.lab import workspace
from races.lab.components import Components, make_components
from races.lab.kafka_address import open_kafka
from races.lab.preflight import lock_lab, reach_kafka
from races.models import Race, WorkerHeartbeat
from races.models.leases import break_recorder_lease
from races.streams import connection
from races.streams.config import embedded_settings
from races.streams.embedded import EmbeddedKafka
from races.streams.proxy.answers import Address
from races.streams.registry.service import Registry

SWITCH_S = 0.002


@dataclass(slots=True)
class Lab:
    """What runs beside the web server.

    lock: an embedded Kafka and its database belong to one process. deaths: components that died, and with them the lab.
    kafka_address: where the embedded Kafka listens for other programs; port 0 is the one of last time, if it is free.
    """

    kafka_address: Address = ("127.0.0.1", 0)
    components: Components | None = None
    kafka: EmbeddedKafka | None = None
    lock: IO[str] | None = None
    deaths: list[str] = field(default_factory=list)
    _stopping: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    def start(
        self, address: str, on_death: Callable[[str], None], say: Callable[[str], None]
    ) -> connection.Connection:
        # Worker, analytics, feed and recorder share one interpreter. Short time slices keep each tick on time.
        sys.setswitchinterval(SWITCH_S)
        if settings.LAB.kafka is None:
            self.lock = lock_lab(settings.VAR_DIR / "lab.lock")
            topics = settings.LAB.topics
            self.kafka = EmbeddedKafka(topics.values())
            advertised = open_kafka(self.kafka, *self.kafka_address)
            kafka = embedded_settings(self.kafka.bootstrap, topics, f"{address}/registry/", advertised)
            connection.use(connection.connect(kafka, Registry(settings.REGISTRY_PATH)))
            # Workers and recorder of an embedded Kafka are gone with it, and so are its
            # records: what it had and the history has not is published again, whole races included.
            Race.objects.active().reopen()
            WorkerHeartbeat.objects.all().delete()
            break_recorder_lease()
        elif settings.LAB.kafka.own_registry:
            kafka = replace(settings.LAB.kafka, registry_url=f"{address}/registry/")
            connection.use(connection.connect(kafka, Registry(settings.REGISTRY_PATH)))
        current = connection.current()
        if not current.settings.embedded:
            reach_kafka(current.settings, say)
        with self._stopping:
            if not self._ended:
                self.components = make_components(current)
                self.components.start(on_death)
        return current

    def stop(self) -> None:
        """Stops everything, once. A second caller waits for the first."""
        with self._stopping:
            self._ended = True
            components, self.components = self.components, None
            if components is not None:
                components.stop()
            workspace.close()
            if self.kafka is not None:
                self.kafka.close()
