"""What can go wrong on the way, on purpose: at the n-th call or at every matching one.

A fault "before" leaves no effect; one "after" has the effect and loses the answer, which is why a client
has to look before it asks again.
"""

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from .request_log import Exchange
from .responses import Answer, coded, control, enveloped, page

Kind = Literal[
    "timeout_before",
    "timeout_after",
    "drop_before",
    "drop_after",
    "429",
    "429_bare",
    "429_html",
    "500",
    "503",
    "503_envelope",
    "slow",
    "hook_before",
    "hook_after",
]
KINDS: tuple[Kind, ...] = (
    "timeout_before",
    "timeout_after",
    "drop_before",
    "drop_after",
    "429",
    "429_bare",
    "500",
    "503",
)
WITHOUT_EFFECT = ("timeout_before", "drop_before", "hook_before")
WITHOUT_ANSWER = (*WITHOUT_EFFECT, "timeout_after", "drop_after")


@dataclass(slots=True)
class Fault:
    """`at`: the number of the call, from 1 (None: any); `path`: a regular expression searched in its path.

    `times`: how many calls it meets before it is spent; `delay_s`: how late a slow answer is. `hook` is for
    the two hook kinds: it runs on the server's thread, instead of the effect or between the effect and the
    answer, and may end the client.
    """

    kind: Kind
    at: int | None = None
    method: str = ""
    path: str = ""
    times: int = 1
    retry_after: str = "1"
    delay_s: float = 0.0
    hook: Callable[[Exchange], None] | None = None

    def matches(self, exchange: Exchange) -> bool:
        return (
            self.times > 0
            and self.at in (None, exchange.number)
            and self.method in ("", exchange.method)
            and re.search(self.path, exchange.path) is not None
        )


@dataclass(slots=True)
class Faults:
    """The faults still to come. `met` counts those that happened."""

    planned: list[Fault] = field(default_factory=list)
    met: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self.planned.extend(faults)

    def clear(self) -> None:
        with self._lock:
            self.planned.clear()

    def take(self, exchange: Exchange) -> Fault | None:
        with self._lock:
            for fault in self.planned:
                if fault.matches(exchange):
                    fault.times -= 1
                    self.met += 1
                    exchange.fault = fault.kind
                    return fault
        return None


def planned(faults: Iterable[Fault]) -> Faults:
    return Faults(list(faults))


def refusal(fault: Fault, plane: str) -> Answer | None:
    """Gives the answer that a fault sends instead of the handler's, and None for the kinds that send none."""
    kind = fault.kind
    if kind == "429":
        limit = {
            "X-RateLimit-Limit": "100",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": fault.retry_after,
            "Retry-After": fault.retry_after,
        }
        body = control(429, "Too many requests.", "too_many_requests").answer.body
        return Answer(429, body, limit)
    if kind == "429_html" or (kind == "429_bare" and plane == "kafka"):
        return page(429, "Too Many Requests").answer
    if kind == "503_envelope":
        return enveloped(503, "service_unavailable", "The service is temporarily unavailable.").answer
    if kind in ("429_bare", "500", "503"):
        status = int(kind[:3])
        in_codes = plane in ("kafka", "registry")
        refused = (
            coded(status * 100 + 1, WORDS[status], status) if in_codes else control(status, WORDS[status])
        )
        return refused.answer
    return None


WORDS = {429: "Too many requests.", 500: "Internal server error.", 503: "Service unavailable."}
