"""The names and origins that are this site's own, for pages and sockets alike."""

from __future__ import annotations

import ipaddress
import logging
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings

log = logging.getLogger(__name__)
MOST_REFUSED = 100  # origins that are named in the log, each once
# ASGI's: what servers put into them is more than the types of channels know.
Scope: TypeAlias = Any
Receive: TypeAlias = Any
Send: TypeAlias = Any


def learn_own_address(scope: Scope) -> None:
    """Adds the address at which a client reached this machine to ALLOWED_HOSTS, if the Host header names just it.

    A second card, a VPN, IPv6: which addresses a machine has changes, and the connection itself proves one. A name is
    never learnt, since a stranger's name may point here.
    """
    host = next(
        (str(value, "latin-1").lower() for name, value in scope.get("headers", ()) if name == b"host"), ""
    )
    asked = host if host.endswith("]") else host.rpartition(":")[0] or host  # without its port
    if not asked or asked in settings.ALLOWED_HOSTS:
        return
    try:
        named = ipaddress.ip_address(asked.strip("[]"))
        reached = ipaddress.ip_address((scope.get("server") or ("",))[0].partition("%")[0])
    except ValueError:
        return
    if isinstance(reached, ipaddress.IPv6Address) and reached.ipv4_mapped:
        reached = reached.ipv4_mapped
    canonical = f"[{named}]" if named.version == 6 else str(named)
    if named == reached and asked == canonical:
        settings.ALLOWED_HOSTS.append(asked)


class SameOriginValidator(OriginValidator):
    """Lets only this site's own pages open a socket: those under its names, and under the trusted origins of forms.

    A refusal is logged once for each origin. An Origin that is no address is refused without a traceback.
    """

    def __init__(self, application: Any) -> None:
        super().__init__(application, [])
        self._refused: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if not all(map(_is_address, origins)):
            self._log(f"A page at {str(b', '.join(origins), 'latin-1')[:200]!r}")
            return await WebsocketDenier()(scope, receive, send)
        return await super().__call__(scope, receive, send)

    def valid_origin(self, parsed_origin: Any) -> bool:
        trusted = [origin.replace("://*.", "://.") for origin in settings.CSRF_TRUSTED_ORIGINS]
        self.allowed_origins = [*settings.ALLOWED_HOSTS, *trusted]
        valid = bool(super().valid_origin(parsed_origin))
        if not valid and parsed_origin is not None:
            self._log(f"A page at {f'{parsed_origin.scheme}://{parsed_origin.netloc}'[:200]!r}")
        elif not valid:
            self._log("A program that sends no Origin at all")
        return valid

    def _log(self, who: str) -> None:
        if who not in self._refused and len(self._refused) < MOST_REFUSED:
            self._refused.add(who)
            log.warning(
                "%s may not open a socket here. If it is this lab's own, behind a proxy or a forwarded port, "
                "name it in DJANGO_CSRF_TRUSTED_ORIGINS",
                who,
            )


def _is_address(origin: bytes) -> bool:
    try:
        parts = urlsplit(origin.decode("latin-1"))
        return bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return False
