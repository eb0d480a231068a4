"""Flink's own SQL client, attached to the gateway of `make flink`, with the lab's topics as tables."""

from __future__ import annotations

import os
from pathlib import Path

import requests
from django.conf import settings

from races.flink.local.errors import CannotRun
from races.flink.local.java import FLAGS, OPENED, classpath
from races.flink.tables import EARLIEST, Place, create_tables
from races.lab.addresses import running_lab
from races.lab.flink import flink_settings
from races.lab.own_flink import prepare
from races.streams.config import StreamSettings
from races.streams.registry.client import HttpRegistry
from races.streams.topics import TOPICS, subject

NOT_RUNNING = "make flink does not run here. Start it in another terminal, then run this again."


def prelude(place: Place, names: dict[str, str]) -> str:
    """CREATE TABLE for each topic, for a session of one's own."""
    registry = HttpRegistry(place.registry_url, None, "")
    try:
        schema_id = registry.lookup(
            subject(names["commentary"], "value"), TOPICS["commentary"].value_schema, "JSON"
        )
    finally:
        registry.close()
    return ";\n\n".join(create_tables(names, place, EARLIEST, schema_id)) + ";\n"


def client_command() -> tuple[list[str], dict[str, str]]:
    """The program with its arguments, and its environment. Raises CannotRun where nothing runs to attach to."""
    flink, url = flink_settings(), running_lab()
    try:
        requests.get(f"{flink.gateway_url}/v4/info", timeout=3)
    except requests.RequestException:
        raise CannotRun(NOT_RUNNING) from None
    kafka: StreamSettings | None = settings.LAB.kafka
    if not url or kafka is None:
        raise CannotRun(NOT_RUNNING)
    java, (_, *jars), ours = prepare(lambda words: None)
    folder = Path(settings.VAR_DIR) / "flink"
    tables = folder / "tables.sql"
    tables.write_text(prelude(Place(kafka.bootstrap, f"{url}/registry"), dict(settings.LAB.topics)))
    opened = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in OPENED]
    main = [
        "org.apache.flink.table.client.SqlClient",
        "gateway",
        "--endpoint",
        flink.gateway_url,
        "-i",
        str(tables),
    ]
    command = [str(java.program), *FLAGS, *opened, "-cp", classpath([*jars, ours]), *main]
    return command, {**os.environ, "FLINK_CONF_DIR": str(folder)}
