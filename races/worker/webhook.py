"""Flags and overtakes to an address outside, for lamps and chats; no address inside this network unless allowed.

One process posts, the one that records. What cannot be posted soon is left out: a lamp that turns yellow when the track
is green again would lie. The address is somebody's text, and this process may stand in a network of its own. So a name
is looked up here, an address that is not public is refused unless the configuration allows it, and the connection goes
to the very address that was looked at.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from races.lib.clock import Clock
from races.streams.codec import Codec
from races.streams.consumer import Tail
from races.streams.errors import BadRecord, RegistryUnavailable

EVENTS: dict[str, tuple[str, ...]] = {
    "flags": (
        "lights_out",
        "yellow",
        "vsc",
        "vsc_ending",
        "safety_car",
        "safety_car_ending",
        "green",
        "red_flag",
        "chequered",
    ),
    "overtakes": ("overtake",),
}
"""The types of race control's records, by what a person asks for."""
FIELDS = ("race_id", "tick", "timestamp", "type", "driver_code", "other_code", "lap", "message")
TIME_LIMIT_S = 3.0  # for name, connection and answer together
TOO_OLD_S = 10.0
FAILURES, REST_S = 3, 30.0
POLL_S = 0.2
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

log = logging.getLogger(__name__)


class NotPosted(Exception):
    """The event did not arrive. The message names no address and is safe to log."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """An address to post to. `events` are keys of EVENTS; `allow_private` lets addresses in that are not public."""

    url: str
    events: tuple[str, ...] = tuple(EVENTS)
    allow_private: bool = False


class Webhook:
    """Reads race control and posts what was asked for, in its order, while `active` gives this process the turn."""

    def __init__(
        self,
        settings: WebhookSettings,
        tail: Tail,
        codec: Codec,
        active: Callable[[], bool],
        clock: Clock = time.monotonic,
        wall: Clock = time.time,
    ) -> None:
        self._settings, self._tail, self._codec, self._active = settings, tail, codec, active
        self._clock, self._wall = clock, wall
        self._types = {kind for name in settings.events for kind in EVENTS[name]}
        self._stopping = threading.Event()
        self._failures, self._rest_until = 0, 0.0
        self.posted = 0

    def run(self) -> None:
        with asyncio.Runner() as runner:
            while not self._stopping.is_set():
                for message in self._tail.poll(100, POLL_S):
                    if (
                        self._active()
                        and not self._stopping.is_set()
                        and (event := self._event(message.value))
                    ):
                        self._send(runner, event)
        self._tail.close()

    def stop(self) -> None:
        self._stopping.set()

    def _event(self, value: bytes | None) -> dict[str, Any] | None:
        """The event as it is posted; None for one that nobody asked for, is too old, or cannot be read."""
        try:
            record = self._codec.decode("race_control", value) if value is not None else {}
        except (BadRecord, RegistryUnavailable):  # counted by those who read every record
            return None
        late_s = self._wall() - record.get("timestamp", 0) / 1000
        if record.get("type") not in self._types or late_s > TOO_OLD_S or self._clock() < self._rest_until:
            return None
        return {"id": f"{record['race_id']}:{record['event']}"} | {name: record[name] for name in FIELDS}

    def _send(self, runner: asyncio.Runner, event: dict[str, Any]) -> None:
        try:
            runner.run(post(self._settings, event))
        except NotPosted as error:
            self._failures += 1
            if self._failures == FAILURES:
                log.warning("The webhook: %s; it rests for %d s at a time", error, REST_S)
            if self._failures >= FAILURES:
                self._rest_until = self._clock() + REST_S
        else:
            if self._failures >= FAILURES:
                log.warning("The webhook answers again")
            self._failures = 0
            self.posted += 1


async def post(settings: WebhookSettings, event: dict[str, Any], time_limit_s: float = TIME_LIMIT_S) -> None:
    """Posts one event as JSON. Raises NotPosted. Redirects are not followed: they would lead past the look at the
    address. Proxies of the environment are not asked, since they would look the name up anew.
    """
    import httpx2  # 0.1 s, which a lab without a webhook saves

    try:
        async with asyncio.timeout(time_limit_s):
            parts = urlsplit(settings.url)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
            looked_up = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [str(info[4][0]) for info in looked_up]
            if not settings.allow_private and not all(is_public(address) for address in addresses):
                raise NotPosted("its address is not public; webhook.allow_private: true allows it")
            url = httpx2.URL(settings.url).copy_with(host=addresses[0])
            headers = {"Host": parts.netloc.rpartition("@")[2]}
            async with httpx2.AsyncClient(trust_env=False, timeout=None) as client:
                request = client.build_request("POST", url, json=event, headers=headers)
                request.extensions["sni_hostname"] = host
                response = await client.send(request, stream=True)
                await response.aclose()
    except TimeoutError:
        raise NotPosted(f"no answer within {time_limit_s:.0f} s") from None
    except NotPosted:
        raise
    except Exception as error:  # its words may hold the address, and an address may be a key
        raise NotPosted(type(error).__name__) from None
    if response.status_code >= 300:
        raise NotPosted(f"HTTP {response.status_code}")


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet's: not this machine's, this network's, or a cloud's own. What an
    IPv6 address carries of an IPv4 one is looked at as well.
    """
    found = inner = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in NAT64 else None
        inner = found.ipv4_mapped or found.sixtofour or translated or found
    return found.is_global and inner.is_global and not inner.is_multicast
