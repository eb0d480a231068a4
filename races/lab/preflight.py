"""Checks before a lab starts: its lock, its port, its database's tables, and a Kafka that answers."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from races.streams.admin import ensure_topics, missing_topics
from races.streams.config import StreamSettings
from races.streams.errors import BrokerUnavailable

KAFKA_AT_ONCE_S = 2.0


class CannotStart(Exception):
    """A check failed. The message is one line for the person who starts the lab."""


def reach_kafka(kafka: StreamSettings, say: Callable[[str], None]) -> None:
    """Waits for Kafka, which may be starting, and makes the topics. Raises CannotStart, StreamError."""
    try:
        if missing := missing_topics(kafka, KAFKA_AT_ONCE_S):
            say(f"Making {len(missing)} topics on Kafka at {kafka.bootstrap}")
    except BrokerUnavailable:
        say(f"Waiting for Kafka at {kafka.bootstrap} …")
    try:
        ensure_topics(kafka)
    except BrokerUnavailable as error:
        raise CannotStart(
            f"{error}. Start it, or correct the kafka: section of {settings.LAB.path}, then start the lab again."
        ) from None


def lock_lab(path: Path) -> IO[str]:
    """Takes the lock of the only lab on this database. It is held while the file is open. Raises CannotStart."""
    file = path.open("w")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise CannotStart(
            "Another lab runs on this database already. Stop it first, or give this one a folder of its own "
            "with F1_VAR_DIR."
        ) from None
    return file


def check_port(host: str, port: int) -> None:
    """Raises CannotStart where another program listens on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":  # on Windows it would give us a port that somebody listens on
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            another = port + 100 if port < 65_000 else port - 100
            hint = f" Is a lab running there already? Another port: make run PORT={another}" if taken else ""
            raise CannotStart(f"Port {port} on {host} cannot be used ({error.strerror}).{hint}") from None


def check_migrations() -> None:
    """Raises CannotStart where migrations are missing."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CannotStart(
            "The database is not ready: run  python manage.py migrate  first (make run does it)."
        )
