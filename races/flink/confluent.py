"""A client of Confluent Cloud's interface for Flink statements, as far as the SQL workspace needs it.

A statement is an object of the environment: it is made with a name and the lab's label, goes through phases, and
gives its result in pages. Whatever carries the label is the lab's, and goes when the lab is torn down.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from races.flink.gateway import (
    LONGEST_ANSWER,
    Change,
    Column,
    GatewayAway,
    GatewayError,
    Page,
    SessionExpired,
    StatementRefused,
    shorten,
)

LABEL = "user.confluent.io/f1-lab"
CFU_HOUR = (
    0.21  # list price in US dollars, September 2025; billed by the minute, at least one CFU a statement
)
TIMEOUT_S = (5.0, 30.0)
OPS = ("+I", "-U", "+U", "-D")
_CAUSE = re.compile(r"^Caused by: (.+)$", re.MULTILINE)
_PLACE = re.compile(
    r"(?: at| ?Error from| ?From| ?At)? line (\d+), column (\d+)(?: to line (\d+), column (\d+))?"
)
_LEAD = re.compile(r"^(?:SQL (?:parse|validation) failed\.\s*)+")
ACTIVE = ("PENDING", "RUNNING", "DEGRADED", "FAILING")


@dataclass(frozen=True, slots=True)
class CloudFlink:
    """Where the lab's Flink on Confluent Cloud is, and the key to it. lab: what the label says. cfu: the pool's limit.

    catalog and database: names of the environment and of the Kafka cluster. principal: the service account.
    """

    endpoint: str
    key: str
    secret: str = field(repr=False)
    organization: str
    environment: str
    pool: str
    principal: str
    catalog: str
    database: str
    lab: str
    cfu: int = 5

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


def load(path: Path) -> CloudFlink | None:
    """What provisioning has written there; None where there is no such file, or none that can be used."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return CloudFlink(**found)
    except (OSError, ValueError, TypeError):
        return None


class Statements:
    """The statements of one environment. Calls raise GatewayError."""

    def __init__(self, where: CloudFlink) -> None:
        self.where = where
        self._http = requests.Session()
        self._http.auth = (where.key, where.secret)
        self._base = (
            f"{where.endpoint.rstrip('/')}/sql/v1/organizations/{where.organization}"
            f"/environments/{where.environment}/statements"
        )

    def create(self, name: str, sql: str, properties: Mapping[str, str]) -> dict[str, Any]:
        where = self.where
        names = {"sql.current-catalog": where.catalog, "sql.current-database": where.database}
        body = {
            "name": name,
            "organization_id": where.organization,
            "environment_id": where.environment,
            "metadata": {"labels": {LABEL: where.lab}},
            "spec": {
                "statement": sql,
                "properties": {**names, **properties},
                "compute_pool_id": where.pool,
                "principal": where.principal,
                "stopped": False,
            },
        }
        return self._call("POST", self._base, body)

    def get(self, name: str) -> dict[str, Any]:
        """Raises SessionExpired for one that is gone."""
        return self._call("GET", f"{self._base}/{name}")

    def results(self, name: str, token: str = "") -> tuple[list[Change], str]:
        """The changes of one page and the token of the next one; an empty token: there is none."""
        address = f"{self._base}/{name}/results" + (f"?page_token={token}" if token else "")
        found = self._call("GET", address)
        results = found.get("results")
        data = results.get("data") if isinstance(results, dict) else None
        following = str(_dict(found, "metadata").get("next") or "")
        tokens = parse_qs(urlsplit(following).query).get("page_token", [""])
        changes = []
        for one in data or []:
            if isinstance(one, dict):
                op, row = one.get("op"), one.get("row")
                kind = OPS[op] if isinstance(op, int) and 0 <= op < len(OPS) else "+I"
                changes.append(Change(kind, tuple(row) if isinstance(row, list) else ()))
        return changes, tokens[0]

    def delete(self, name: str) -> None:
        """Stops it first, if it runs. One that is gone is fine."""
        with contextlib.suppress(SessionExpired):
            self._call("DELETE", f"{self._base}/{name}")

    def ours(self) -> list[dict[str, Any]]:
        """All with the lab's label, its continuous queries included."""
        return self._listed({"label_selector": f"{LABEL}={self.where.lab}"})

    def active_in_pool(self) -> int:
        """How many statements take a CFU of the pool."""
        found = self._listed({"spec.compute_pool_id": self.where.pool})
        return sum(phase(one) in ACTIVE for one in found)

    def _listed(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        request = requests.Request("GET", self._base, params={**query, "page_size": "100"}).prepare()
        found: list[dict[str, Any]] = []
        address = str(request.url)
        while address and len(found) < 1000:
            page = self._call("GET", address)
            found += [one for one in page.get("data") or [] if isinstance(one, dict)]
            following = str(_dict(page, "metadata").get("next") or "")
            address = following if following.startswith(self._base) else ""  # the key goes nowhere else
        return found

    def _call(self, method: str, address: str, body: Any = None) -> dict[str, Any]:
        try:
            response = self._http.request(
                method, address, json=body, timeout=TIMEOUT_S, allow_redirects=False
            )
            if len(response.content) > LONGEST_ANSWER:
                raise GatewayAway("Confluent Cloud's answer is longer than the lab reads.")
            found = response.json() if response.content else {}
        except requests.RequestException as error:
            raise GatewayAway(
                f"Confluent Cloud does not answer at {self.where.endpoint} ({type(error).__name__})."
            ) from None
        if response.status_code >= 300:
            raise _error(response.status_code, found)
        return found if isinstance(found, dict) else {}


def phase(statement: Mapping[str, Any]) -> str:
    return str(_dict(statement, "status").get("phase") or "PENDING")


def detail(statement: Mapping[str, Any]) -> StatementRefused:
    """Why it failed, in one line with its place."""
    words = str(_dict(statement, "status").get("detail") or "Confluent Cloud gave no reason.")
    return refused(words)


def refused(words: str) -> StatementRefused:
    """The service's words in one line: the cause that it gives last, and the place that it names anywhere."""
    causes = _CAUSE.findall(words)
    said = _PLACE.sub("", causes[-1] if causes else words.strip().partition("\n")[0])
    said = shorten(_LEAD.sub("", said)).rstrip(" :")
    place = _PLACE.search(words)
    return StatementRefused(said, *(int(number or 0) for number in place.groups()) if place else ())


def columns(statement: Mapping[str, Any]) -> tuple[Column, ...]:
    schema = _dict(_dict(_dict(statement, "status"), "traits"), "schema")
    listed = [one for one in schema.get("columns") or [] if isinstance(one, dict)]
    return tuple(
        Column(str(one.get("name") or ""), str(_dict(one, "type").get("type") or "")) for one in listed
    )


def page_of(statement: Mapping[str, Any], changes: list[Change], done: bool) -> Page:
    return Page(True, done, columns(statement), tuple(changes), str(statement.get("name") or ""), True)


def _error(status: int, found: Any) -> GatewayError:
    errors = found.get("errors") if isinstance(found, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    words = str(first.get("detail") or (found.get("message") if isinstance(found, dict) else "") or "")
    if status == 404:
        return SessionExpired("Confluent Cloud does not have this statement any more.")
    if status in (401, 403):
        return GatewayAway("Confluent Cloud refuses the lab's Flink API key. provision_confluent renews it.")
    if status in (400, 409, 422):
        return refused(words or f"Confluent Cloud refused it (HTTP {status}).")
    return GatewayAway(f"Confluent Cloud cannot do that just now (HTTP {status}).")


def _dict(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}
