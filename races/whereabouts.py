"""Where the lab answers: for programs here what it wrote down at its start, for phones in the room what they reach."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

PROBE_S = 0.5


def _file() -> Path:
    return Path(settings.VAR_DIR) / "lab.address"


def remember(url: str) -> None:
    _file().write_text(url, encoding="utf-8")


def forget() -> None:
    _file().unlink(missing_ok=True)


def known_lab() -> str:
    """F1_LAB, else the running lab's own address; empty where neither is known."""
    if named := os.environ.get("F1_LAB"):
        return named.rstrip("/")
    try:
        url = _file().read_text(encoding="utf-8")
        there = urlsplit(url)
        socket.create_connection((there.hostname or "", there.port or 0), PROBE_S).close()
    except (OSError, ValueError):  # none, or one that was killed and could not forget
        return ""
    return url


def room_address(request: HttpRequest) -> str:
    """As other machines write it: the teacher's own browser may say 127.0.0.1, which is the phone itself on a phone.
    Empty where nobody else gets in."""
    here = request.build_absolute_uri("/").rstrip("/")
    name = urlsplit(here).hostname or ""
    if name != "localhost" and not name.startswith("127.") and name != "::1":
        return here
    return settings.ROOM_ADDRESSES[0] if settings.ROOM_ADDRESSES else ""
