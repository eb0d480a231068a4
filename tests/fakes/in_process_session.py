"""The stand-in without a network, so that hundreds of whole runs fit into a test; and a command that dies mid-call.

The answers, states and faults are the stand-in's own. What the wire adds is shown by the tests that use a real one.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import requests

from provisioning.standin import Exchange, Standin
from provisioning.standin.responses import Answer
from provisioning.standin.routing import Call
from provisioning.standin.server import located


class Killed(BaseException):
    """kill -9 at this call: nothing after it runs, as far as a test in one process can have it."""


def kill(exchange: Exchange) -> None:
    raise Killed(str(exchange))


class InProcessSession(requests.Session):
    """A session that manual_clock each call to the stand-in and gives back what it answers."""

    def __init__(self, standin: Standin) -> None:
        super().__init__()
        self.standin = standin

    def request(self, method: str, url: str, **given: Any) -> requests.Response:  # type: ignore[override]
        parts = urlsplit(url)
        plane, host, path = located(parts.path)
        body = json.loads(given["data"]) if given["data"] else None
        kind = given["headers"].get("Content-Type", "")
        state, address = self.standin.state, self.standin.url + parts.path
        exchange = self.standin.record(method, plane, path, given["params"], body, kind)
        call = Call(method, plane, host, path, given["params"], body, kind, given["auth"], state, address)
        answer = self.standin.answer(call, exchange)
        if answer is None:
            exchange.status = 0
            raise _lost(exchange)
        exchange.status, exchange.response = answer.status, answer.body
        return _response(url, answer, exchange)


def _lost(exchange: Exchange) -> requests.RequestException:
    if exchange.fault.startswith("timeout"):
        return requests.exceptions.ReadTimeout("timed out")
    return requests.exceptions.ConnectionError("Remote end closed connection without response")


def _response(url: str, answer: Answer, exchange: Exchange) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.encoding = answer.status, url, "utf-8"
    response.headers.update({"X-Request-Id": f"request-{exchange.number}", **answer.headers})
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    response._content = b"" if answer.body is None else text.encode()
    return response
