"""The addresses of a Flink of one's own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlinkSettings:
    """gateway_url: Flink's SQL gateway. rest_url: its job manager, which serves the dashboard too.

    bootstrap and registry_url: Kafka and registry as Flink sees them; empty: as the lab itself does.
    """

    gateway_url: str
    rest_url: str
    bootstrap: str = ""
    registry_url: str = ""
