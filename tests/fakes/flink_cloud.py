"""Confluent Cloud's interface for Flink statements with results, as its reference describes it. It knows a handful
of statements; the stand-in of provisioning knows the rest of the service, and computes no results."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.services.http_server import serving
from races.flink.confluent import CloudFlink

SCHEMA = {"columns": [{"name": "n", "type": {"type": "BIGINT", "nullable": False}}]}
BAD = (
    "SQL validation failed. Error from line 1, column 8 to line 1, column 11.\n\n"
    "Caused by: Column 'nope' not found in any table"
)


@dataclass
class FakeCloud:
    """pending: how often a statement shows itself PENDING. statements: name -> what the service says of it."""

    url: str = ""
    pending: int = 1
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    counters: dict[str, Iterator[int]] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)

    def where(self, lab: str = "lab1") -> CloudFlink:
        return CloudFlink(
            self.url, "KEY", "SECRET", "org", "env-1", "lfcp-1", "sa-1", "f1-env", "f1-cluster", lab, 2
        )

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        sql = body["spec"]["statement"]
        phase = (
            "RUNNING"
            if sql.startswith(("SELECT", "INSERT")) and not sql.endswith("VALUES 1")
            else "COMPLETED"
        )
        made = body | {"status": {"phase": "PENDING", "detail": "", "traits": {}}, "then": phase}
        self.statements[body["name"]] = made
        self.counters[body["name"]] = itertools.count(1)
        self.looks[body["name"]] = 0
        return made

    def get(self, name: str) -> dict[str, Any]:
        found = self.statements[name]
        self.looks[name] += 1
        if found["status"]["phase"] == "PENDING" and self.looks[name] > self.pending:
            bad = "nope" in found["spec"]["statement"]
            found["status"] = {
                "phase": "FAILED" if bad else found["then"],
                "detail": BAD if bad else "",
                "traits": {} if bad else {"schema": SCHEMA},
            }
        return found

    def results(self, name: str, token: str) -> dict[str, Any]:
        """Two pages with two rows and the second taken back, or a live query's next two rows."""
        found = self.statements[name]
        one = str(next(self.counters[name]))
        data = [{"op": 0, "row": [one]}, {"op": 1, "row": [one]}, {"op": 2, "row": [f"{one}0"]}]
        ends = found["then"] == "COMPLETED"
        following = "" if ends else f"{self.url}/{name}/results?page_token=t{one}"
        return {"metadata": {"next": following}, "results": {"data": [{"row": [one]}] if ends else data}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: FakeCloud

    def answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        rest = address.path.partition("/organizations/org/environments/env-1/statements")[2].strip("/")
        wanted = "Basic " + base64.b64encode(b"KEY:SECRET").decode()
        try:
            if self.headers.get("Authorization") != wanted:
                status, reply = 401, {"errors": [{"detail": "Unauthorized"}]}
            else:
                status, reply = self.route(rest.split("/") if rest else [], query, body)
        except KeyError:
            status, reply = 404, {"errors": [{"detail": "Statement does not exist"}]}
        data = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = answer

    def route(
        self, parts: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        cloud = self.cloud
        match (self.command, *parts):
            case ("POST",):
                return 201, cloud.create(body)
            case ("GET",):
                label, _, value = query.get("label_selector", "").partition("=")
                found = [
                    one
                    for one in cloud.statements.values()
                    if not label or one["metadata"]["labels"].get(label) == value
                ]
                return 200, {"data": found, "metadata": {}}
            case ("GET", name):
                return 200, cloud.get(name)
            case ("GET", name, "results"):
                return 200, cloud.results(name, query.get("page_token", ""))
            case ("DELETE", name):
                del cloud.statements[name]
        return 202, {}

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def fake_cloud(**options: Any) -> Iterator[FakeCloud]:
    cloud = FakeCloud(**options)
    with serving(type("Handler", (_Handler,), {"cloud": cloud})) as address:
        cloud.url = address
        yield cloud
