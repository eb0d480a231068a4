"""Rehearsals on a stand-in that is gone: nothing of them stands, and nobody can be asked."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

from provisioning import configfile
from provisioning.client import LOOPBACK
from provisioning.journal import Entry
from provisioning.session import Session
from provisioning.teardown import names_cluster


def over(session: Session) -> list[Entry]:
    """Entries of other organisations on this machine, where nobody answers or another stand-in does."""
    own = _place(session.credentials.url)
    others = [e for e in session.entry.others() if e.organization != session.organization]
    return [entry for entry in others if _is_over(_endpoint(entry), own)]


def _endpoint(entry: Entry) -> str:
    return str((entry.get("flink") or {}).get("endpoint", ""))


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def _is_over(endpoint: str, own: tuple[str, int]) -> bool:
    host, port = _place(endpoint)
    if host not in LOOPBACK:
        return False
    return (host, port) == own or not _answers(host, port)


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def forget(entry: Entry, config: Path) -> None:
    if names_cluster(entry, configfile.read(config)):
        configfile.remove(config)
    entry.forget()
