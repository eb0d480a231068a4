"""The lab's addresses: for programs on this machine, and for other machines in the room."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger(__name__)
PROBE_S = 0.5


def _file() -> Path:
    return Path(settings.VAR_DIR) / "lab.address"


def save_address(url: str) -> None:
    """Writes the address down for commands on this machine, which otherwise need --lab."""
    try:
        _file().touch(mode=0o600)  # whoever could write it could send commands elsewhere
        _file().write_text(url, encoding="utf-8")
    except OSError as error:  # the lab runs all the same
        log.warning("%s cannot be written (%s): name the lab with --lab or F1_LAB", _file(), error.strerror)


def delete_address() -> None:
    with suppress(OSError):
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


def is_shared() -> bool:
    """Whether other machines can open this lab: what a topic holds may then be anybody's."""
    lab = urlsplit(running_lab()).hostname or "127.0.0.1"
    return bool(settings.ROOM_ADDRESSES) or not is_loopback(lab)


def room_address(request: HttpRequest) -> str:
    """The address for other machines; empty where they cannot reach the lab. The request's own may be 127.0.0.1, which
    on a phone is the phone itself.
    """
    here = request.build_absolute_uri("/").rstrip("/")
    name = urlsplit(here).hostname or ""
    if not is_loopback(name):
        return here
    return settings.ROOM_ADDRESSES[0] if settings.ROOM_ADDRESSES else ""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    return host in ("localhost", "::1") or host.startswith("127.")


def local_address(host: str, port: int) -> str:
    """The address for this machine's own browser, where a server listens on the host: on all, that is loopback."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, not bound
    host = everywhere.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def forwarded_origin(environ: Mapping[str, str], port: int) -> str:
    """The origin at which GitHub Codespaces shows a port of this machine; empty elsewhere."""
    name, domain = environ.get("CODESPACE_NAME"), environ.get("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN")
    return f"https://{name}-{port}.{domain}" if name and domain else ""


def own_names() -> list[str]:
    """This machine's names, for ALLOWED_HOSTS of a lab that other machines open. Addresses are learnt by use."""
    names = {socket.gethostname(), socket.getfqdn()}
    local = {f"{name.partition('.')[0]}.local" for name in names}  # as the local network calls it (mDNS)
    return sorted({name.lower() for name in names | local})


def room_addresses(host: str, port: int) -> list[str]:
    """Addresses for other machines of a lab that listens on the host, the likeliest first."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        return [local_address(host, port)]
    # The IPv4 addresses that this machine's own name stands for
    try:
        resolved = [
            str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        ]
    except OSError:
        resolved = []
    # This machine's address towards other networks, where there are any
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: no packet is sent, only a route chosen
            outward = [str(probe.getsockname()[0])]
        except OSError:
            outward = []
    found = dict.fromkeys([*outward, *resolved])  # a set with an order
    return [local_address(address, port) for address in found if not is_loopback(address)]
