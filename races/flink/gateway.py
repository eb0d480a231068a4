"""A client of the REST interface of Flink's SQL gateway: sessions, statements, results page by page.

Flink answers an error with a Java stack trace. `refusal` makes one line of it, and keeps the place in the statement
where Flink names one. A page is fetched once: the gateway forgets it when the next one is asked for, so an Operation
holds the address of its next page and is used by one thread at a time.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from races.lib.http import OwnSession

API_VERSIONS = ("v4", "v3", "v2")  # v1 has no configuration for one statement
OLDEST = "1.17"
TIMEOUT_S = (3.0, 60.0)  # the gateway itself answers at once; a busy machine does not
LONGEST_ANSWER = 64 * 1024 * 1024
LONGEST_WORDS = 400
POLL_S = 0.03
KINDS = {"INSERT": "+I", "UPDATE_BEFORE": "-U", "UPDATE_AFTER": "+U", "DELETE": "-D"}

_CAUSE = re.compile(r"^Caused by: (?P<type>[\w.$]+)(?:: (?P<words>.*))?$")
_WRAPPERS = ("SqlGatewayException", "SqlExecutionException")  # they only say that something failed
_PLACES = (
    re.compile(r"From line (\d+), column (\d+) to line (\d+), column (\d+): "),
    re.compile(r"At line (\d+), column (\d+): "),
    re.compile(r" ?at line (\d+), column (\d+)\b"),
)
_GONE = re.compile(
    r"(Session|operation) .*(does not exist|has been closed|is closed)|Can not find the submitted operation"
)


class GatewayError(Exception):
    """What a call of the gateway came to instead of an answer: one line for a person."""


class GatewayAway(GatewayError):
    """Nothing answers at the address, or what answers is no SQL gateway."""


class WrongVersion(GatewayError):
    """The gateway speaks only versions of the interface that this client does not."""


class SessionExpired(GatewayError):
    """The gateway does not know the session or the operation: it was idle for too long, or Flink was restarted."""


class StatementRefused(GatewayError):
    """Flink refused the statement, or the statement failed. Lines and columns count from 1; 0: no place is known."""

    def __init__(
        self, words: str, line: int = 0, column: int = 0, end_line: int = 0, end_column: int = 0
    ) -> None:
        super().__init__(words)
        self.line, self.column, self.end_line, self.end_column = line, column, end_line, end_column


@dataclass(frozen=True, slots=True)
class Column:
    """type: as SQL writes it, without its length."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Change:
    """kind: +I, -U, +U or -D. fields: JSON values in the order of the columns."""

    kind: str
    fields: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to fetch. ready: False while the statement is still planned. done: no page comes after this one.

    job: the id of the statement's Flink job; empty for a statement that needs none. is_query: the rows are a result
    and not Flink's words about the statement.
    """

    ready: bool
    done: bool
    columns: tuple[Column, ...] = ()
    changes: tuple[Change, ...] = ()
    job: str = ""
    is_query: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """All that a bounded statement gave."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    job: str = ""


class Gateway:
    """The gateway at one address. Its calls may come from several threads."""

    def __init__(self, url: str, timeout: tuple[float, float] = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._http = OwnSession()
        self._api = ""

    def version(self) -> str:
        """Flink's own version, for example 2.3.0. Raises GatewayAway, WrongVersion."""
        found = self.call("GET", f"/{self.api()}/info")
        return str(found.get("version") or "unknown")

    def api(self) -> str:
        """The newest version of the interface that both sides speak. Raises GatewayAway, WrongVersion."""
        if not self._api:
            try:
                served = {str(one).lower() for one in _listed(self.call("GET", "/api_versions"), "versions")}
            except StatementRefused:  # Flink's own dashboard also answers with errors
                raise self._away(ValueError()) from None
            spoken = [one for one in API_VERSIONS if one in served]
            if not spoken:
                raise WrongVersion(
                    f"The SQL gateway at {self.url} speaks {', '.join(sorted(served)) or 'no version'} of its "
                    f"interface; the lab needs {API_VERSIONS[-1]}, which Flink {OLDEST} and newer have."
                )
            self._api = spoken[0]
        return self._api

    def open(self, name: str, properties: Mapping[str, str] | None = None) -> Session:
        """A new session with its own tables and configuration. Raises GatewayError."""
        body = {"sessionName": name, "properties": dict(properties or {})}
        found = self.call("POST", f"/{self.api()}/sessions", body)
        return Session(self, _text(found, "sessionHandle"))

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request, and its JSON. Raises GatewayAway, SessionExpired, StatementRefused."""
        try:
            with self._http.request(
                method, self.url + path, json=body, timeout=self._timeout, stream=True, allow_redirects=False
            ) as response:
                status, text = response.status_code, bytearray()
                for chunk in response.iter_content(65536):
                    text += chunk
                    if len(text) > LONGEST_ANSWER:
                        raise ValueError("the answer is too long")
                found = json.loads(text)
        except (requests.RequestException, ValueError) as error:
            raise self._away(error) from None
        if not isinstance(found, dict):
            raise self._away(ValueError())
        if status != 200:
            raise _error(found, self.url)
        return found

    def _away(self, error: Exception) -> GatewayAway:
        if isinstance(error, requests.Timeout):
            return GatewayAway(f"The SQL gateway at {self.url} does not answer in time. Is Flink busy?")
        if isinstance(error, requests.ConnectionError):
            return GatewayAway(f"No SQL gateway answers at {self.url}. Is Flink running?")
        return GatewayAway(f"What answers at {self.url} is no SQL gateway of Flink.")


class Session:
    """Tables, views and configuration of one client. The gateway closes a session that is idle for too long."""

    def __init__(self, gateway: Gateway, handle: str) -> None:
        self.gateway, self.handle = gateway, handle
        self._path = f"/{gateway.api()}/sessions/{handle}"

    def start(self, sql: str, properties: Mapping[str, str] | None = None) -> Operation:
        """Submits one statement. properties hold for this statement only. Raises GatewayError."""
        body = {"statement": sql, "executionConfig": dict(properties or {})}
        found = self.gateway.call("POST", f"{self._path}/statements", body)
        return Operation(self.gateway, f"{self._path}/operations/{_text(found, 'operationHandle')}")

    def run(self, sql: str, properties: Mapping[str, str] | None = None, limit_s: float = 60.0) -> Result:
        """A statement to its end, or an INSERT until its job runs. Raises GatewayError, TimeoutError."""
        operation = self.start(sql, properties)
        until = time.monotonic() + limit_s
        columns: tuple[Column, ...] = ()
        rows: list[tuple[Any, ...]] = []
        job = ""
        try:
            while True:
                page = operation.fetch()
                columns, job = page.columns or columns, page.job or job
                rows += [change.fields for change in page.changes]
                if page.done or (page.ready and page.job and not page.is_query):
                    return Result(columns, tuple(rows), job)
                if time.monotonic() > until:
                    raise TimeoutError(f"Flink did not finish the statement within {limit_s:.0f} s.")
                if not page.changes:
                    time.sleep(POLL_S)
        finally:
            operation.close()

    def heartbeat(self) -> None:
        """Keeps the session from being closed as idle. Raises GatewayError."""
        self.gateway.call("POST", f"{self._path}/heartbeat", {})

    def close(self) -> None:
        """The jobs of INSERT statements go on. A session that is gone already is fine. Raises GatewayAway."""
        with contextlib.suppress(SessionExpired, StatementRefused):
            self.gateway.call("DELETE", self._path)


class Operation:
    """One statement that was submitted."""

    def __init__(self, gateway: Gateway, path: str) -> None:
        self._gateway, self._path = gateway, path
        self._next = f"{path}/result/0?rowFormat=JSON"

    def fetch(self) -> Page:
        """The next page, which may be empty; it does not wait for rows. Raises GatewayError."""
        found = self._gateway.call("GET", self._next)
        following = found.get("nextResultUri")
        if following:
            self._next = str(following)
        if found.get("resultType") == "NOT_READY":
            return Page(ready=False, done=False)
        results = _object(found, "results")
        return Page(
            ready=True,
            done=found.get("resultType") == "EOS" or not following,
            columns=tuple(
                Column(str(one.get("name") or ""), str(_object(one, "logicalType").get("type") or ""))
                for one in _objects(results, "columns")
            ),
            changes=tuple(
                Change(KINDS.get(str(one.get("kind")), "+I"), tuple(_listed(one, "fields")))
                for one in _objects(results, "data")
            ),
            job=str(found.get("jobID") or ""),
            is_query=bool(found.get("isQueryResult", found.get("queryResult", False))),
        )

    def close(self) -> None:
        """Ends a query's job and forgets the result. One that is gone already is fine. Raises GatewayAway."""
        with contextlib.suppress(SessionExpired, StatementRefused):
            self._gateway.call("DELETE", f"{self._path}/close")


def refusal(trace: str) -> StatementRefused:
    """Flink's stack trace as one line: the innermost cause that says more than that something failed, and the place
    in the statement that any of the causes names."""
    found = []
    for line in trace.splitlines():
        cause = _CAUSE.match(line.strip())
        if cause and not cause["type"].endswith(_WRAPPERS):
            simple = cause["type"].rpartition(".")[2].rpartition("$")[2]
            found.append((cause["words"] or simple).removeprefix("SQL validation failed. "))
    causes = [said.removeprefix("SQL parse failed. ") for said in found]
    lines = [line.strip() for line in trace.splitlines()]
    first = next((line for line in lines if line and not line.startswith(("<Exception on", "at "))), "")
    words = next((said for said in reversed(causes) if said), "") or first or "Flink gave no reason."
    for said in causes:
        for pattern in _PLACES:
            if place := pattern.search(said):
                numbers = [int(number) for number in place.groups()]
                clean = shorten(pattern.sub("", words))
                return StatementRefused(clean, *numbers)
    return StatementRefused(shorten(words))


def shorten(words: str) -> str:
    """Anybody's words as one printable line of bounded length."""
    printable = "".join(sign if sign.isprintable() else " " for sign in words).strip()
    if len(printable) > LONGEST_WORDS:
        return f"{printable[: LONGEST_WORDS - 1]}…"
    return printable or "Flink gave no reason."


def _error(found: dict[str, Any], url: str) -> GatewayError:
    errors = [str(one) for one in _listed(found, "errors")]
    trace = errors[-1] if errors else ""
    if _GONE.search(trace):
        return SessionExpired(
            "Flink has forgotten this session: it was idle for too long, or Flink was started anew."
        )
    if trace.startswith("Not found: /"):
        return GatewayAway(f"What answers at {url} is not the SQL gateway that the lab knows.")
    return refusal(trace)


def _listed(found: dict[str, Any], name: str) -> list[Any]:
    values = found.get(name)
    return values if isinstance(values, list) else []


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not re.fullmatch(r"[\w-]{1,100}", value):
        raise GatewayAway(f"The SQL gateway's answer has no {name}.")
    return value


def _object(found: dict[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _objects(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one if isinstance(one, dict) else {} for one in _listed(found, name)]
