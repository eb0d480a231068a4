"""Rehearsals on a stand-in that is gone: nothing of them stands, and nobody can be asked."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from provisioning import config_file
from provisioning.audit import names_cluster
from provisioning.config import Credentials
from provisioning.errors import LOOPBACK
from provisioning.journal import Entry


def stale_entries(entries: Iterable[Entry], answering: str = "", organization: str = "") -> list[Entry]:
    """Finds entries on this machine where nobody answers, or where a stand-in of another organisation does:
    answering is its address."""
    others = [entry for entry in entries if entry.organization != organization]
    local = [entry for entry in others if place(entry)[0] in LOOPBACK]
    return [entry for entry in local if place(entry) == _place(answering) or not _answers(*place(entry))]


def unanswered(known: Credentials) -> bool:
    """Whether nobody can be asked about anything, because the stand-in is gone or there is no Cloud API key."""
    host, port = _place(known.url)
    return not (known.key and known.secret) or (host in LOOPBACK and not _answers(host, port))


def block_is_stale(config: Path, entries: Iterable[Entry]) -> bool:
    """Whether the block is of a Kafka on this machine that does not answer, and no entry of the journal knows it."""
    text = config_file.read(config)
    if any(names_cluster(entry, text) for entry in entries):
        return False
    host, port = _place(f"//{config_file.bootstrap(config)}")
    return host in LOOPBACK and not _answers(host, port)


def place(entry: Entry) -> tuple[str, int]:
    """Gives host and port of the service that the lab was built on."""
    endpoint = str((entry.get("flink") or {}).get("endpoint", ""))
    _, recorded, host = endpoint.partition("/~/")  # through the recording proxy: it stands on the service
    return (host.partition("/")[0].partition(":")[0], 443) if recorded else _place(endpoint)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def forget(entry: Entry, config: Path) -> None:
    if names_cluster(entry, config_file.read(config)):
        config_file.remove(config)
    entry.keep()
    entry.forget()
