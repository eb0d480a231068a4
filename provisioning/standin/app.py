"""The stand-in: one address, the planes under it by the first part of the path."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlencode

from . import (
    accounts,
    bindings,
    clusters,
    connections,
    environments,
    keys,
    lifecycle,
    pools,
    registries,
    statements,
    subjects,
    topics,
)
from .administrator import DEMO_KEY, DEMO_SECRET, add_administrator
from .answers import Answers
from .auth import authenticate
from .cloud import Cloud
from .faults import WITHOUT_ANSWER, WITHOUT_EFFECT, Fault, Faults, planned, refusal
from .latencies import INSTANT, Latencies
from .request_log import Exchange
from .responses import Answer, Refused, coded, control
from .routing import Call, Router
from .server import Server
from .tls import certificate

MOVED = ".moved"
OPTIONAL = {
    "created_at",
    "default_pool",
    "detail",
    "enable_ai",
    "first",
    "jit_enabled",
    "last",
    "latest_offsets",
    "network_kind",
    "scaling_status",
    "total_size",
    "traits",
    "updated_at",
    "warnings",
}
ROUTERS = {
    "control": Router(
        environments.ROUTES
        + clusters.ROUTES
        + registries.ROUTES
        + pools.ROUTES
        + accounts.ROUTES
        + bindings.ROUTES
        + keys.ROUTES
    ),
    "kafka": Router(topics.ROUTES),
    "flink": Router(statements.ROUTES + connections.ROUTES),
}


class Standin:
    """A Confluent Cloud of one organisation on 127.0.0.1. As a context manager it serves from a thread.

    `clock` gives seconds; with `speed` they pass faster than on the wall. `kafka` False: no embedded Kafka.
    `tls`: a folder for the certificate to trust; HTTPS then, and a Kafka behind SASL_SSL that asks for its key.
    """

    def __init__(
        self,
        latencies: Latencies = INSTANT,
        faults: Iterable[Fault] = (),
        speed: float = 1.0,
        clock: Callable[[], float] | None = None,
        port: int = 0,
        seed: int = 0,
        kafka: bool = True,
        on_answer: Callable[[Exchange], None] | None = None,
        answers: Answers | None = None,
        tls: Path | None = None,
    ) -> None:
        self.state = Cloud(latencies, clock or (lambda: time.monotonic() * speed), seed, kafka, answers)
        self.faults: Faults = planned(faults)
        self.calls: list[Exchange] = []
        self.on_answer = on_answer or (lambda exchange: None)
        self.key, self.secret = DEMO_KEY, DEMO_SECRET
        self._ended = threading.Event()
        self.trusted: Path | None = None
        if tls:
            self.trusted, self.state.tls = certificate(tls)
        self._server = Server(("127.0.0.1", port), self, self.state.tls)
        scheme = "https" if tls else "http"
        self.url = self.state.address = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        add_administrator(self.state)

    def start(self) -> str:
        """Serves; returns the address for CONFLUENT_CLOUD_URL."""
        self._thread.start()
        return self.url

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.state.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, call: Call, exchange: Exchange) -> Answer | None:
        """Answers a call. None means that the connection ends without an answer."""
        fault = self.faults.take(exchange)
        if fault is None:
            return self._handled(call)
        if fault.hook and fault.kind == "hook_before":
            fault.hook(exchange)
        if fault.kind in WITHOUT_EFFECT:
            return None
        if instead := refusal(fault, call.plane):
            return instead
        answer = self._handled(call)
        exchange.response = answer.body
        if fault.hook and fault.kind == "hook_after":
            fault.hook(exchange)
        self._ended.wait(fault.delay_s)
        return None if fault.kind in WITHOUT_ANSWER else answer

    def _handled(self, call: Call) -> Answer:
        with self.state.lock:
            self._settle()
            try:
                redirect_gateway(call)
                call.caller = authenticate(call)
                answer = _dispatch(call)
                if self.state.answers.optional == "missing" and call.plane in ("control", "flink"):
                    answer = replace(answer, body=without_optional(answer.body))
            except Refused as refused:
                answer = refused.answer
            self._settle()
            return answer

    def _settle(self) -> None:
        """Lets happen what is due by the clock: before a call for what time has done, after it for its effect."""
        registries.settle(self.state)
        lifecycle.settle(self.state)
        clusters.settle(self.state)

    def record(
        self, method: str, plane: str, path: str, query: dict[str, str], body: Any, kind: str
    ) -> Exchange:
        with self.state.lock:
            exchange = Exchange(len(self.calls) + 1, method, plane, path, query, body, kind)
            self.calls.append(exchange)
            return exchange

    def has_ended(self) -> bool:
        return self._ended.is_set()


def without_optional(body: Any) -> Any:
    """Gives a body without the fields that the OpenAPI files do not require, at any depth."""
    if isinstance(body, dict):
        return {name: without_optional(inner) for name, inner in body.items() if name not in OPTIONAL}
    return [without_optional(inner) for inner in body] if isinstance(body, list) else body


def _dispatch(call: Call) -> Answer:
    if call.plane == "registry":
        return subjects.handle(call)
    found = ROUTERS[call.plane].find(call.method, call.path)
    if isinstance(found, int):
        words = "Method not allowed." if found == 405 else "Not found."
        raise coded(found, words, found) if call.plane == "kafka" else control(found, words)
    handler, params = found
    call.params = {name: unquote(value) for name, value in params.items()}
    return handler(call)


def redirect_gateway(call: Call) -> None:
    """Flink's gateway may send its callers on to another host, which answers them. Raises Refused."""
    if call.plane != "flink":
        return
    moved = call.host.removesuffix(MOVED)
    status = call.cloud.answers.redirect
    if status != "none" and moved == call.host:
        address = call.url.replace(call.host, call.host + MOVED, 1)
        query = f"?{urlencode(call.query)}" if call.query else ""
        raise Refused(Answer(int(status), None, {"Location": address + query}))
    call.url, call.host = call.url.replace(call.host, moved, 1), moved
