"""A small SQL gateway of Flink over HTTP, with the answers that Flink 2.3 gives: sessions, pages, stack traces.

It knows a handful of statements. tests/flink/gateway_contract.py holds it against the real one.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from bench.services.http_server import serving

Row = tuple[str, list[Any]]
Pages = Iterator[list[Row]]
WORDS = [("result", "VARCHAR")]
SEVERAL = "org.apache.calcite.runtime.CalciteException: only single statement supported"
REFUSALS = (
    (
        r"^SELEC\b",
        "org.apache.calcite.runtime.CalciteException: Non-query expression encountered in illegal context",
    ),
    (
        r"\bnope\b",
        "org.apache.flink.table.api.ValidationException: SQL validation failed. "
        "From line {0}, column {1} to line {0}, column {2}: Column 'nope' not found in any table",
    ),
    (
        r"\+$",
        'org.apache.flink.table.api.SqlParserException: SQL parse failed. Encountered "+ <EOF>" at line {0}, '
        'column {1}.\nWas expecting one of:\n    "+" "ALL" ...',
    ),
    (
        r"\bposition,",
        'org.apache.flink.table.api.SqlParserException: SQL parse failed. Encountered "position ," at line {0}, '
        "column {1}.",
    ),
    (
        r"\bnowhere\b",
        "org.apache.flink.table.api.ValidationException: SQL validation failed. "
        "From line {0}, column {1} to line {0}, column {2}: Object 'nowhere' not found",
    ),
)
PLAN = """== Abstract Syntax Tree ==
LogicalProject(n=[$0])
+- LogicalTableScan(table=[[default_catalog, default_database, ticker]])

== Optimized Physical Plan ==
TableSourceScan(table=[[default_catalog, default_database, ticker]], fields=[n])

== Optimized Execution Plan ==
Calc(select=[n], where=[(n > 1)])
+- TableSourceScan(table=[[default_catalog, default_database, ticker]], fields=[n])
"""


@dataclass
class Running:
    """One operation. place: which page is asked for next; pages: what comes, without an end for a live query."""

    columns: list[tuple[str, str]]
    pages: Pages
    job: str = ""
    query: bool = False
    error: str = ""
    place: int = 0
    closed: bool = False


@dataclass
class FakeGateway:
    """versions: of the interface. slots: of the cluster. plans: fetches that are answered NOT_READY at first."""

    url: str = ""
    versions: tuple[str, ...] = ("V1", "V2", "V3", "V4")
    slots: int = 4
    plans: int = 1
    sessions: dict[str, dict[str, Running]] = field(default_factory=dict)
    jobs: dict[str, list[str]] = field(default_factory=dict)  # id -> [name, state]
    failures: dict[str, str] = field(default_factory=dict)  # job -> root cause
    checkpoints: dict[str, str] = field(default_factory=dict)  # job -> address of the newest one
    chained: dict[str, dict[str, int]] = field(default_factory=dict)  # job of one operator -> its counters
    task_managers: int = 1
    savepoints: str = "/savepoints"
    refused: str = ""  # a statement that begins so, or begins from such a point, is refused
    statements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget_sessions(self) -> None:
        """Forgets everything, as Flink does when it is started anew."""
        self.sessions.clear()

    def free_slots(self) -> int:
        return self.slots - sum(state == "RUNNING" for _, state in self.jobs.values())

    def submit(self, session: str, sql: str, properties: dict[str, str]) -> str:
        operation = str(uuid.uuid4())
        self.statements.append((sql, properties))
        self.sessions[session][operation] = self._run(sql.strip(), properties)
        return operation

    def _run(self, sql: str, properties: dict[str, str]) -> Running:
        if ";" in sql:
            return Running([], iter(()), error=SEVERAL)
        point = properties.get("execution.state-recovery.path", "")
        if self.refused and (sql.startswith(self.refused) or point.startswith(self.refused)):
            return Running([], iter(()), error="org.apache.flink.table.api.ValidationException: not taken")
        for pattern, words in REFUSALS:
            if found := re.search(pattern, sql):
                line = sql.count("\n", 0, found.start()) + 1
                column = found.start() - (sql.rfind("\n", 0, found.start()) + 1) + 1
                end = column + len(found[0]) - 1
                return Running([], iter(()), error=words.format(line, column, end))
        for pattern, make in KNOWN:
            if found := re.match(pattern, sql, re.IGNORECASE | re.DOTALL):
                running = make(self, found)
                if running.query or sql.upper().startswith("INSERT"):
                    running.job = uuid.uuid4().hex
                    self.jobs[running.job] = [properties.get("pipeline.name", sql[:20]), "RUNNING"]
                return running
        return Running([], iter(()), error="org.apache.flink.table.api.TableException: not known to the fake")

    def stop(self, job: str, with_savepoint: bool) -> Running:
        self.jobs[job][1] = "FINISHED" if with_savepoint else "CANCELED"
        if not with_savepoint:
            return _ok()
        return _words([f"file:{self.savepoints}/{job}"], columns=[("savepoint path", "VARCHAR")])

    def fetch(self, session: str, operation: str, token: int) -> dict[str, Any]:
        running = self.sessions[session][operation]
        address = f"/v4/sessions/{session}/operations/{operation}/result"
        if self.plans and not running.place:
            self.plans -= 1
            return {"resultType": "NOT_READY", "nextResultUri": f"{address}/{token}?rowFormat=JSON"}
        if running.error:
            raise Refused(running.error)
        if token != running.place:
            raise Refused(f"SqlExecutionException: Expecting token to be {running.place}, but found {token}.")
        rows = next(running.pages, None)
        if rows is None:
            if running.job:
                self.jobs[running.job][1] = "FINISHED"
            return {
                "resultType": "EOS",
                "isQueryResult": running.query,
                "results": {"columns": [], "data": []},
            }
        running.place += 1
        page: dict[str, Any] = {
            "resultType": "PAYLOAD",
            "isQueryResult": running.query,
            "resultKind": "SUCCESS_WITH_CONTENT",
            "results": {
                "columns": [
                    {"name": name, "logicalType": {"type": kind, "nullable": True}, "comment": None}
                    for name, kind in running.columns
                ],
                "rowFormat": "JSON",
                "data": [{"kind": kind, "fields": fields} for kind, fields in rows],
            },
            "nextResultUri": f"{address}/{running.place}?rowFormat=JSON",
        }
        return page | ({"jobID": running.job} if running.job else {})

    def close(self, session: str, operation: str) -> None:
        running = self.sessions[session].pop(operation)
        if running.query and running.job and self.jobs[running.job][1] == "RUNNING":
            self.jobs[running.job][1] = "CANCELED"


class Refused(Exception):
    """A statement's error; the words stand at the end of a stack trace."""


def _ok() -> Running:
    return Running(WORDS, iter([[("INSERT", ["OK"])]]))


def _words(*rows: list[Any], columns: list[tuple[str, str]] = WORDS) -> Running:
    return Running(columns, iter([[("INSERT", row) for row in rows]]))


def _rows(columns: list[tuple[str, str]], pages: Pages) -> Running:
    return Running(columns, itertools.chain([[]], pages), query=True)


def _numbers() -> Pages:
    for first in itertools.count(1, 10):
        yield [("INSERT", [number]) for number in range(first, first + 10)]


def _counts() -> Pages:
    """COUNT(*) of even and odd numbers, as Flink revises it."""
    counts = [0, 0]
    for number in itertools.count(1):
        key = number % 2
        counts[key] += 1
        before = [("UPDATE_BEFORE", [key, counts[key] - 1])] if counts[key] > 1 else []
        yield [*before, ("UPDATE_AFTER" if before else "INSERT", [key, counts[key]])]


def _failing() -> Pages:
    yield [("INSERT", [1])]
    raise Refused("java.lang.ArithmeticException: / by zero")


def _create(fake: FakeGateway, found: re.Match[str]) -> Running:
    fake.tables.append(found[1])
    return _ok()


DESCRIBED = [(name, "VARCHAR") for name in ("name", "type", "null", "key", "extras", "watermark")]
KNOWN: tuple[tuple[str, Callable[[FakeGateway, re.Match[str]], Running]], ...] = (
    (r"SELECT 1$", lambda _, __: _rows([("EXPR$0", "INTEGER")], iter([[("INSERT", [1])]]))),
    (r"SELECT 10 / \(n - 3\)", lambda _, __: _rows([("EXPR$0", "BIGINT")], _failing())),
    (r"SELECT n % 2 AS k, COUNT", lambda _, __: _rows([("k", "BIGINT"), ("c", "BIGINT")], _counts())),
    (
        r"SELECT (\*|n) FROM \S+$",
        lambda _, __: _rows([("n", "BIGINT")], _numbers()),
    ),
    (r"CREATE TEMPORARY SYSTEM FUNCTION", lambda _, __: _ok()),
    (r"CREATE (?:TEMPORARY )?(?:TABLE|VIEW)(?: IF NOT EXISTS)? [`]?([\w-]+)", _create),
    (r"(SET|RESET|DROP|ALTER|USE)\b", lambda _, __: _ok()),
    (
        r"SHOW TABLES",
        lambda fake, _: _words(*([t] for t in fake.tables), columns=[("table name", "VARCHAR")]),
    ),
    (r"DESC(RIBE)?\b", lambda _, __: _words(["n", "BIGINT", True, None, None, None], columns=DESCRIBED)),
    (r"EXPLAIN\b", lambda _, __: _words([PLAN])),
    (r"INSERT INTO\b", lambda _, __: _words([-1], columns=[("job id", "VARCHAR")])),
    (r"STOP JOB '(\w+)'( WITH SAVEPOINT)?", lambda fake, found: fake.stop(found[1], bool(found[2]))),
)


def trace(words: str) -> str:
    """An error in the words of the gateway's REST interface."""
    return (
        "<Exception on server side:\norg.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to "
        "fetchResults.\n\tat org.apache.flink.table.gateway.rest.Handler.handle(Handler.java:91)\n"
        "Caused by: org.apache.flink.table.gateway.service.utils.SqlExecutionException: Failed to execute the "
        f"operation.\nCaused by: {words}\n\t... 41 more\n\nEnd of exception on server side>"
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeGateway

    def answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        parts = urlsplit(self.path).path.strip("/").split("/")
        try:
            with self.fake.lock:
                status, reply = 200, self.route(parts, body)
        except Refused as error:
            status, reply = 500, {"errors": ["Internal server error.", trace(str(error))]}
        except LookupError:
            words = f"...SqlGatewayException: Session '{parts[2] if len(parts) > 2 else ''}' does not exist."
            status, reply = 500, {"errors": ["Internal server error.", trace(words)]}
        data = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_PATCH = answer

    def route(self, parts: list[str], body: dict[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
        fake = self.fake
        match (self.command, *parts):
            case ("GET", "api_versions"):
                return {"versions": list(fake.versions)}
            case ("GET", _, "info"):
                return {"productName": "Apache Flink", "version": "2.3.0"}
            case ("POST", _, "sessions"):
                handle = str(uuid.uuid4())
                fake.sessions[handle] = {}
                return {"sessionHandle": handle}
            case (_, _, "sessions", session, *rest):
                return self.in_session(session, rest, body)
        return self.cluster(parts)

    def in_session(self, session: str, rest: list[str], body: dict[str, Any]) -> dict[str, Any]:
        fake = self.fake
        fake.sessions[session]  # or LookupError
        match (self.command, *rest):
            case ("DELETE",):
                del fake.sessions[session]
            case ("POST", "statements"):
                return {"operationHandle": fake.submit(session, body["statement"], body["executionConfig"])}
            case ("GET", "operations", operation, "result", token):
                return fake.fetch(session, operation, int(token))
            case ("DELETE", "operations", operation, "close"):
                fake.close(session, operation)
        return {}

    def cluster(self, parts: list[str]) -> dict[str, Any] | list[dict[str, Any]]:
        fake = self.fake
        match (self.command, *parts):
            case ("GET", "overview"):
                return {
                    "slots-total": fake.slots,
                    "slots-available": fake.free_slots(),
                    "taskmanagers": fake.task_managers,
                }
            case ("GET", "jobs", "overview"):
                jobs = [
                    {"jid": job, "name": name, "state": state} for job, (name, state) in fake.jobs.items()
                ]
                return {"jobs": jobs}
            case ("GET", "jobs", job, "exceptions"):
                entries = [{"stacktrace": trace(fake.failures[job])}] if job in fake.failures else []
                return {"exceptionHistory": {"entries": entries}}
            case ("GET", "jobs", job, "checkpoints"):
                path = fake.checkpoints.get(job)
                return {"latest": {"completed": {"external_path": path} if path else None}}
            case ("GET", "jobs", job, "vertices", _, "subtasks", "metrics"):
                return [{"id": name, "sum": float(count)} for name, count in self.fake.chained[job].items()]
            case ("GET", "jobs", job) if job in fake.chained:
                return {"vertices": [{"id": "v", "metrics": {"read-records": 0, "write-records": 0}}]}
            case ("GET", "jobs", _):
                counts = {"read-records": 7, "write-records": 9}
                return {"vertices": [{"metrics": counts}, {"metrics": counts}]}
            case ("PATCH", "jobs", job):
                fake.jobs[job][1] = "CANCELED"
                return {}
        raise LookupError(self.path)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def fake_gateway(**options: Any) -> Iterator[FakeGateway]:
    """Gateway and cluster answer at one address."""
    fake = FakeGateway(**options)
    handler = type("Handler", (_Handler,), {"fake": fake})
    with serving(handler) as address:
        fake.url = address
        yield fake
