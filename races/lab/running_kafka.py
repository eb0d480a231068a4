"""The Kafka and the registry of a lab that runs, for commands in a process of their own."""

from __future__ import annotations

from dataclasses import replace

import requests
from django.conf import settings

from races.lab.addresses import running_lab
from races.lib.http import OwnSession
from races.streams.config import StreamSettings

DEFAULT_LAB = "http://127.0.0.1:8000"


class NoLab(Exception):
    """No lab answers. The message says where, and what to do."""


def kafka_of_lab(lab: str | None) -> StreamSettings:
    """The Kafka of the lab at an address, else of the running one, else the configured one. Raises NoLab."""
    address = (lab or running_lab() or DEFAULT_LAB).rstrip("/")
    try:
        with OwnSession() as session:
            health = session.get(f"{address}/healthz", timeout=5).json()
        if health["kafka"].get("embedded"):
            return StreamSettings(
                embedded=True,
                librdkafka={"bootstrap.servers": health["kafka"]["bootstrap"]},
                registry_url=health["registry"]["url"].rstrip("/"),
                topics=settings.LAB.topics,
                auto_register=False,
            )
    except (requests.RequestException, ValueError, KeyError) as error:
        if settings.LAB.kafka is None:
            raise NoLab(
                f"No lab answers at {address} ({type(error).__name__}), and config.yaml names no Kafka. "
                "Start one with `make run`, or name its address with --lab."
            ) from None
    if settings.LAB.kafka is None:
        raise NoLab(f"The lab at {address} uses a configured Kafka; its config.yaml is needed here too.")
    configured: StreamSettings = settings.LAB.kafka
    if configured.own_registry and not configured.registry_url:
        return replace(configured, registry_url=f"{address}/registry")
    return configured
