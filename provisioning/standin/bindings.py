"""iam/v2: role bindings. One that is gone or was never there answers 403, in a shape of its own."""

from typing import Any

from .auth import demand_administrator, may_see
from .cloud import Cloud
from .paging import paged
from .records import Binding
from .references import metadata
from .responses import Answer, coded, control, invalid
from .routing import Call, Route, required

ROLES = (
    "OrganizationAdmin",
    "EnvironmentAdmin",
    "CloudClusterAdmin",
    "FlinkAdmin",
    "FlinkDeveloper",
    "DataSteward",
    "DeveloperRead",
    "DeveloperWrite",
    "DeveloperManage",
    "ResourceOwner",
    "Assigner",
)


def rendered(cloud: Cloud, binding: Binding) -> dict[str, Any]:
    return {
        "api_version": "iam/v2",
        "kind": "RoleBinding",
        "id": binding.id,
        "metadata": metadata(
            cloud,
            "/iam/v2/role-bindings",
            binding,
            f"{cloud.crn}/user={binding.principal}/role-binding={binding.id}",
        ),
        "principal": binding.principal,
        "role_name": binding.role,
        "crn_pattern": binding.crn,
    }


def listing(call: Call) -> Answer:
    cloud, query = call.cloud, call.query
    if not query.get("crn_pattern"):
        raise invalid("The query parameter 'crn_pattern' is required.", "/crn_pattern")
    sees_all = may_see(call, query["crn_pattern"].partition("/environment=")[2])
    caller = f"User:{call.caller.owner}" if call.caller else ""
    found = [
        b
        for b in cloud.listed(cloud.bindings.values())
        if b.crn == query["crn_pattern"]
        and (sees_all or b.principal == caller)
        and query.get("principal") in (None, b.principal)
        and query.get("role_name") in (None, b.role)
    ]
    return paged(call, "iam/v2", "RoleBindingList", found, lambda b: rendered(cloud, b))


def create(call: Call) -> Answer:
    demand_administrator(call)
    cloud, document = call.cloud, call.document()
    principal, role, crn = (str(required(document, f, "")) for f in ("principal", "role_name", "crn_pattern"))
    if role not in ROLES or not crn.startswith(cloud.crn):
        raise invalid(f"Unknown role '{role}' or scope '{crn}'.")
    account = cloud.accounts.get(principal.removeprefix("User:"))
    if principal.startswith("User:sa-") and (account is None or account.deleted is not None):
        raise invalid(f"The principal '{principal}' does not exist.", "/principal")
    for other in cloud.alive(cloud.bindings.values()):
        if (other.principal, other.role, other.crn) == (principal, role, crn):
            raise control(409, "The role binding already exists.", "resource_already_exists")
    made = Binding(id=cloud.new_id("rb"), name=role, principal=principal, role=role, crn=crn)
    cloud.bindings[made.id] = cloud.made(made, cloud.latencies.binding)
    return Answer(201, rendered(cloud, made))


def _get(call: Call) -> Binding:
    found = call.cloud.bindings.get(call.param("id"))
    if found is None or found.deleted is not None:
        raise coded(40301, "Either unauthorized to access role binding or role binding does not exist")
    return found


def read(call: Call) -> Answer:
    return Answer(200, rendered(call.cloud, _get(call)))


def delete(call: Call) -> Answer:
    demand_administrator(call)
    found = _get(call)
    call.cloud.delete(found)
    return Answer(200, rendered(call.cloud, found))


ROUTES: list[Route] = [
    ("GET", "/iam/v2/role-bindings", listing),
    ("POST", "/iam/v2/role-bindings", create),
    ("GET", "/iam/v2/role-bindings/{id}", read),
    ("DELETE", "/iam/v2/role-bindings/{id}", delete),
]
