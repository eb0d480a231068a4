"""sql/v1: connections of an environment to services outside. Their secrets never come back."""

import json
from typing import Any

from .cloud import Cloud
from .paging import paged
from .records import Connection
from .references import environment_crn, live_environment
from .responses import Answer, control, invalid
from .routing import Call, Route, required

SECRETS_NEEDED = {
    "BEDROCK": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "OPENAI": ("API_KEY",),
    "ANTHROPIC": ("API_KEY",),
}
# A session token with this word in it has run out, so that tests and rehearsals can say so.
EXPIRED = "expired"
WORDS_OF_EXPIRY = "The security token included in the request is expired"


def checked_environment(call: Call) -> str:
    """Gives the address's environment, in the address's organisation. Raises Refused."""
    if call.param("organization") != call.cloud.organization:
        raise control(
            404, f"The organization {call.param('organization')} was not found.", "resource_not_found"
        )
    return live_environment(call, call.param("environment")).id


def base(cloud: Cloud, environment_id: str) -> str:
    return f"/sql/v1/organizations/{cloud.organization}/environments/{environment_id}"


def rendered(call: Call, found: Connection) -> dict[str, Any]:
    """The answer for a connection, without its secrets."""
    return {
        "api_version": "sql/v1",
        "kind": "Connection",
        **_metadata(call, found),
        "name": found.name,
        "spec": {
            "connection_type": found.type,
            "endpoint": found.endpoint,
            "auth_data": {"kind": "PlaintextProvider", "data": "<REDACTED>"},
        },
        **_status(call.cloud, found),
    }


def _metadata(call: Call, found: Connection) -> dict[str, Any]:
    cloud = call.cloud
    if cloud.answers.metadata != "whole":
        return {"metadata": {}} if cloud.answers.metadata == "empty" else {}
    address = call.url.split("/sql/v1")[0] + base(cloud, found.environment_id)
    return {
        "metadata": {
            "self": f"{address}/connections/{found.name}",
            "resource_name": f"{environment_crn(cloud, found.environment_id)}/connection={found.name}",
            "uid": found.id,
            "resource_version": str(found.version),
            "created_at": found.created_at,
            "updated_at": found.created_at,
        }
    }


def _status(cloud: Cloud, found: Connection) -> dict[str, Any]:
    """Gives what public recordings show of a connection that works: nothing, or one of four words."""
    if found.phase == "INVALID_AUTH" and cloud.answers.invalid_auth == "noticed":
        return {"status": {"phase": found.phase, "detail": WORDS_OF_EXPIRY}}
    if cloud.answers.connection == "absent":
        return {}
    pending = "PENDING" if cloud.now() < found.created + cloud.latencies.statement else "COMPLETED"
    phase = {"empty": "", "pending": pending, "active": "ACTIVE"}[cloud.answers.connection]
    return {"status": {"phase": phase, "detail": ""}}


def listing(call: Call) -> Answer:
    cloud, environment = call.cloud, checked_environment(call)
    wanted = call.query.get("spec.connection_type")
    found = [
        c
        for c in cloud.listed(cloud.connections)
        if c.environment_id == environment and wanted in (None, c.type)
    ]
    answer = paged(call, "sql/v1", "ConnectionList", found, lambda c: rendered(call, c), full=False)
    answer.body["metadata"]["self"] = call.url
    return answer


def secrets_of(spec: dict[str, Any], connection_type: str) -> dict[str, str]:
    """Reads what `auth_data.data` holds: a JSON document as text. Raises Refused."""
    auth = required(spec, "auth_data")
    try:
        given = json.loads(auth.get("data", ""))
    except ValueError as error:
        raise invalid("auth_data.data is not a JSON document.", "/spec/auth_data/data") from error
    missing = [name for name in SECRETS_NEEDED.get(connection_type, ()) if not given.get(name)]
    if missing:
        raise invalid(f"auth_data lacks {', '.join(missing)}.", "/spec/auth_data/data", status=422)
    return dict(given)


def phase_of(secrets: dict[str, str]) -> str:
    return "INVALID_AUTH" if EXPIRED in secrets.get("AWS_SESSION_TOKEN", "").lower() else "ACTIVE"


def live(cloud: Cloud, environment_id: str, name: str) -> Connection | None:
    found = cloud.live_in(cloud.connections, environment_id)
    return next((c for c in found if c.name == name), None)


def add(
    cloud: Cloud, environment_id: str, name: str, kind: str, endpoint: str, auth: dict[str, str]
) -> Connection:
    made = Connection(
        id=cloud.uuid(),
        name=name,
        environment_id=environment_id,
        type=kind,
        endpoint=endpoint,
        auth=auth,
        phase=phase_of(auth),
    )
    cloud.connections.append(cloud.made(made))
    return made


def create(call: Call) -> Answer:
    environment, spec = checked_environment(call), call.spec()
    name, kind = str(required(call.document(), "name", "")), str(required(spec, "connection_type"))
    secrets = secrets_of(spec, kind)
    if live(call.cloud, environment, name):
        raise control(
            409,
            f"Connection {name} already exists.",
            "resource_already_exists",
            location=f"{call.url}/{name}",
        )
    made = add(call.cloud, environment, name, kind, str(required(spec, "endpoint")), secrets)
    return Answer(201, rendered(call, made), {"Location": f"{call.url}/{name}"})


def _get(call: Call) -> Connection:
    found = live(call.cloud, checked_environment(call), call.param("name"))
    if found is None:
        raise control(404, f"Connection {call.param('name')} does not exist.", "resource_not_found")
    return found


def read(call: Call) -> Answer:
    return Answer(200, rendered(call, _get(call)))


def replace(call: Call) -> Answer:
    """Changes the secrets only."""
    found = _get(call)
    if call.cloud.answers.put == "refused":
        raise invalid("The connection cannot be replaced.", "/spec")
    found.auth = secrets_of(call.spec(), found.type)
    found.phase, found.version, found.touched = phase_of(found.auth), found.version + 1, found.touched + 1
    return Answer(200)


def delete(call: Call) -> Answer:
    call.cloud.delete(_get(call))
    return Answer(200)


BASE = "/sql/v1/organizations/{organization}/environments/{environment}/connections"
ROUTES: list[Route] = [
    ("GET", BASE, listing),
    ("POST", BASE, create),
    ("GET", f"{BASE}/{{name}}", read),
    ("PUT", f"{BASE}/{{name}}", replace),
    ("DELETE", f"{BASE}/{{name}}", delete),
]
