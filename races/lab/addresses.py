"""The lab's addresses: for programs on this machine, and for other machines in the room."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

PROBE_S = 0.5


def _file() -> Path:
    return Path(settings.VAR_DIR) / "lab.address"


def save_address(url: str) -> None:
    _file().write_text(url, encoding="utf-8")


def delete_address() -> None:
    _file().unlink(missing_ok=True)


def running_lab() -> str:
    """The address in F1_LAB, else that of the lab that runs on this machine; empty where there is neither."""
    if named := settings.VARIABLES.get("F1_LAB"):
        return named.rstrip("/")
    try:
        url = _file().read_text(encoding="utf-8")
        there = urlsplit(url)
        socket.create_connection((there.hostname or "", there.port or 0), PROBE_S).close()
    except (OSError, ValueError):  # no lab, or one that was killed before it could delete its address
        return ""
    return url


def room_address(request: HttpRequest) -> str:
    """The address for other machines; empty where they cannot reach the lab. The request's own may be 127.0.0.1, which
    on a phone is the phone itself.
    """
    here = request.build_absolute_uri("/").rstrip("/")
    name = urlsplit(here).hostname or ""
    if name != "localhost" and not name.startswith("127.") and name != "::1":
        return here
    return settings.ROOM_ADDRESSES[0] if settings.ROOM_ADDRESSES else ""


def own_addresses() -> list[str]:
    """This machine's names and addresses, for ALLOWED_HOSTS of a lab that other machines open."""
    names = {socket.gethostname(), socket.getfqdn()}
    for name in list(names):
        try:
            names |= {str(info[4][0]) for info in socket.getaddrinfo(name, None, socket.AF_INET)}
        except OSError:
            continue
    return sorted(names | set(_outward()))


def _outward() -> list[str]:
    """This machine's address towards other networks, where there are any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: no packet is sent, only a route chosen
            return [str(probe.getsockname()[0])]
        except OSError:
            return []


def room_addresses(port: int) -> list[str]:
    """Addresses for other machines, the likeliest first. The lab listens on all of this machine's."""
    numeric = [name for name in own_addresses() if name[0].isdigit()]
    found = dict.fromkeys([*_outward(), *numeric])  # a set with an order
    return [f"http://{name}:{port}" for name in found if not name.startswith("127.")]
