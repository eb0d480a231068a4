"""sql/v1: Flink statements. They change the catalogue of tables; running queries compute nothing."""

import re
from typing import Any

from .auth import may
from .cloud import Cloud
from .connections import base, checked_environment
from .lifecycle import QUERIES, move
from .paging import paged
from .pools import default_pool, region_id
from .records import Statement
from .references import environment_crn
from .responses import Answer, control, invalid
from .routing import Call, Route, required
from .sql_parser import parse
from .sql_tokens import SqlError

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LONGEST_NAME, LONGEST_SQL = 72, 131072
RESUMABLE = ("INSERT_INTO", "STATEMENT_SET")


def rendered(call: Call, found: Statement) -> dict[str, Any]:
    cloud = call.cloud
    address = call.url.split("/sql/v1")[0] + base(cloud, found.environment_id)
    return {
        "api_version": "sql/v1",
        "kind": "Statement",
        "metadata": {
            "self": f"{address}/statements/{found.name}",
            "resource_name": f"{environment_crn(cloud, found.environment_id)}/statement={found.name}",
            "uid": found.id,
            "resource_version": str(found.version),
            "labels": found.labels,
            "created_at": found.created_at,
            "updated_at": found.updated_at or found.created_at,
        },
        "name": found.name,
        "organization_id": cloud.organization,
        "environment_id": found.environment_id,
        "spec": {
            "statement": found.sql,
            "properties": found.properties,
            "compute_pool_id": found.pool_id,
            "principal": found.principal,
            "stopped": found.stopped,
        },
        "status": _status(cloud, found),
    }


def _status(cloud: Cloud, found: Statement) -> dict[str, Any]:
    warning = {
        "severity": "MODERATE",
        "created_at": found.created_at,
        "reason": "HIGH_STATE_TTL",
        "message": "The statement keeps its state for long; a shorter time to live is advised.",
    }
    return {
        "phase": "DELETING" if found.deleted is not None else found.phase,
        "detail": found.detail,
        "scaling_status": {
            "scaling_state": "POOL_EXHAUSTED" if found.exhausted else "OK",
            "last_updated": found.created_at,
        },
        "traits": {
            "sql_kind": found.kind,
            "is_bounded": found.kind not in QUERIES,
            "is_append_only": True,
            "upsert_columns": [],
            "schema": {},
        },
        "network_kind": "PUBLIC",
        "latest_offsets": {},
        "warnings": [warning] if cloud.answers.warnings == "some" and found.phase == "RUNNING" else [],
    }


def listing(call: Call) -> Answer:
    cloud, environment = call.cloud, checked_environment(call)
    pool, selector = call.query.get("spec.compute_pool_id"), call.query.get("label_selector", "")
    # equalities or bare names, all of which must hold, are what a selector may say
    wanted = [condition.partition("=") for condition in selector.split(",") if condition]
    found = [
        s
        for s in cloud.listed(cloud.statements)
        if s.environment_id == environment
        and pool in (None, s.pool_id)
        and all(name in s.labels and (not is_ or s.labels[name] == value) for name, is_, value in wanted)
    ]
    answer = paged(call, "sql/v1", "StatementList", found, lambda s: rendered(call, s), full=False)
    answer.body["metadata"]["self"] = call.url
    return answer


def create(call: Call) -> Answer:
    environment, document, spec = checked_environment(call), call.document(), call.spec()
    name = _checked_name(str(required(document, "name", "")))
    sql = str(required(spec, "statement"))
    if len(sql) > LONGEST_SQL:
        raise invalid(f"The statement is longer than {LONGEST_SQL} characters.", "/spec/statement")
    if spec.get("stopped"):
        raise invalid("A statement can't be created stopped.", "/spec/stopped")
    _refuse_too_early(call)
    if call.cloud.statement(environment, name):
        detail = f"Statement {name} already exists."
        raise control(409, detail, "resource_already_exists", location=f"{call.url}/{name}")
    try:
        kind = parse(sql).kind
    except SqlError:
        kind = "UNKNOWN"
    pool_id = str(spec.get("compute_pool_id") or "")
    pool = call.cloud.pools.get(pool_id) if pool_id else default_pool(call, environment)
    if pool is None or pool.deleted is not None or pool.environment_id != environment:
        raise invalid(f"The compute pool {pool_id} was not found.", "/spec/compute_pool_id")
    if not call.cloud.is_ready(pool):
        raise invalid(f"The compute pool {pool_id} is not provisioned yet.", "/spec/compute_pool_id")
    if f"{call.host}." != f"flink.{pool.region}.{region_id(pool.cloud, pool.region).split('.')[0]}.":
        raise invalid(f"The compute pool {pool_id} is in another region.", "/spec/compute_pool_id")
    made = Statement(
        id=call.cloud.uuid(),
        name=name,
        environment_id=environment,
        sql=sql,
        kind=kind,
        properties=_texts(spec.get("properties")),
        labels=_texts((document.get("metadata") or {}).get("labels")),
        pool_id=pool.id,
        principal=_principal(call, spec.get("principal")),
    )
    call.cloud.statements.append(call.cloud.made(made))
    made.due = call.cloud.now() + call.cloud.latencies.statement
    return Answer(201, rendered(call, made), {"Location": f"{call.url}/{name}"})


def _checked_name(name: str) -> str:
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise invalid(f"The name must match {NAME.pattern} with at most {LONGEST_NAME} characters.", "/name")
    return name


def _texts(given: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in (given or {}).items()}


def _refuse_too_early(call: Call) -> None:
    """Raises Refused as workshops have seen it, for the first minute after the account got its role."""
    cloud, owner = call.cloud, call.caller.owner if call.caller else ""
    roles = [b.created for b in cloud.alive(cloud.bindings.values()) if b.principal == f"User:{owner}"]
    late = max(roles, default=0.0) + cloud.latencies.first_statement
    if cloud.answers.first_statement == "not-found" and cloud.now() < late:
        raise invalid(
            "Error looking up resources for Statement. Compute pool or principal not found",
            "/spec/compute_pool_id",
        )


def _principal(call: Call, wanted: str | None) -> str:
    """Gives the key's owner, or another account that the owner may assign."""
    owner = call.caller.owner if call.caller else ""
    if wanted in (None, "", owner):
        return owner
    account = call.cloud.accounts.get(str(wanted))
    if account is None or account.deleted is not None or not may(call, owner):
        raise control(403, f"The caller may not assign the principal {wanted}.", "forbidden_access")
    return account.id


def _get(call: Call) -> Statement:
    found = call.cloud.statement(checked_environment(call), call.param("name"))
    if found is None:
        raise control(404, f"Statement resource={call.param('name')} does not exist", "resource_not_found")
    return found


def read(call: Call) -> Answer:
    return Answer(200, rendered(call, _get(call)))


def patch(call: Call) -> Answer:
    """Applies a JSON patch. Of its operations the stand-in knows replacing /spec/stopped."""
    if call.content_type != "application/json-patch+json":
        raise control(415, "Content-Type must be application/json-patch+json.", "unsupported_media_type")
    found = _get(call)
    if call.cloud.answers.patch == "forbidden":
        raise control(403, "User is not authorized to patch statements.", "forbidden_access")
    if "refused" in (call.cloud.answers.patch, call.cloud.answers.stop):
        raise invalid("The statement cannot be patched.", "/spec", status=422)
    for operation in call.body if isinstance(call.body, list) else []:
        if str(operation.get("op")).lower() != "replace" or operation.get("path") != "/spec/stopped":
            raise invalid("Only /spec/stopped can be replaced.", "/spec")
        _set_stopped(call.cloud, found, bool(operation.get("value")))
    return Answer(200, rendered(call, found))


def replace(call: Call) -> Answer:
    """Takes the whole object, at the version that its sender saw. Changed properties are ignored without a word."""
    found, document, spec = _get(call), call.document(), call.spec()
    if (document.get("metadata") or {}).get("resource_version") != str(found.version):
        raise control(
            409, "The statement was changed meanwhile. Read it again.", "conflict", location=call.url
        )
    if spec.get("statement", found.sql) != found.sql:
        raise invalid("The statement's text is immutable.", "/spec/statement", status=422)
    if call.cloud.answers.stop == "refused":
        raise invalid("The statement cannot be stopped or resumed.", "/spec/stopped")
    _set_stopped(call.cloud, found, bool(spec.get("stopped", found.stopped)))
    return Answer(202)


def _set_stopped(cloud: Cloud, found: Statement, stopped: bool) -> None:
    found.touched += 1
    if stopped and found.phase in ("PENDING", "RUNNING", "DEGRADED"):
        move(found, "STOPPING")
        found.stopped, found.due = True, cloud.now() + cloud.latencies.stop
    elif not stopped and found.phase == "FAILED" and cloud.answers.failed == "refused":
        raise invalid("A FAILED statement cannot be resumed.", "/spec/stopped")
    elif not stopped and found.phase in ("STOPPED", "FAILED"):
        if found.kind not in RESUMABLE:
            raise invalid("Only INSERT INTO and statement sets can be resumed.", "/spec/stopped")
        move(found, "PENDING")
        found.stopped, found.due = False, cloud.now() + cloud.latencies.statement


def delete(call: Call) -> Answer:
    """Deletes a statement. A running one is stopped first, so that it takes longer."""
    found, cloud = _get(call), call.cloud
    stopping = cloud.latencies.stop if found.phase in ("RUNNING", "STOPPING", "DEGRADED") else 0.0
    cloud.delete(found, cloud.latencies.statement_gone + stopping)
    return Answer(202)


def exceptions(call: Call) -> Answer:
    found = _get(call)
    data = []
    if found.phase in ("FAILED", "DEGRADED"):
        name = "org.apache.flink.table.api.ValidationException"
        data = [
            {
                "kind": "StatementException",
                "name": name,
                "message": found.detail,
                "timestamp": found.created_at,
            }
        ]
    about = {"self": call.url}
    return Answer(
        200, {"api_version": "sql/v1", "kind": "StatementExceptionList", "metadata": about, "data": data}
    )


BASE = "/sql/v1/organizations/{organization}/environments/{environment}/statements"
ROUTES: list[Route] = [
    ("GET", BASE, listing),
    ("POST", BASE, create),
    ("GET", f"{BASE}/{{name}}", read),
    ("PATCH", f"{BASE}/{{name}}", patch),
    ("PUT", f"{BASE}/{{name}}", replace),
    ("DELETE", f"{BASE}/{{name}}", delete),
    ("GET", f"{BASE}/{{name}}/exceptions", exceptions),
]
