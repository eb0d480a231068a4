"""iam/v2: service accounts (of the organisation, no environment's) and role bindings."""

from typing import Any

from .answers import Answer, Refused, coded, control, invalid, taken
from .auth import demand_administrator
from .calls import Call, Route, required
from .cloud import Cloud
from .paging import paged
from .records import Account, Binding
from .references import metadata

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


def account_crn(cloud: Cloud, account_id: str) -> str:
    return f"{cloud.crn}/service-account={account_id}"


def account_reference(cloud: Cloud, account_id: str) -> dict[str, str]:
    return {
        "id": account_id,
        "related": f"{cloud.address}/iam/v2/service-accounts/{account_id}",
        "resource_name": account_crn(cloud, account_id),
        "api_version": "iam/v2",
        "kind": "ServiceAccount" if account_id.startswith("sa-") else "User",
    }


def rendered(cloud: Cloud, account: Account) -> dict[str, Any]:
    return {
        "api_version": "iam/v2",
        "kind": "ServiceAccount",
        "id": account.id,
        "metadata": metadata(cloud, "/iam/v2/service-accounts", account, account_crn(cloud, account.id)),
        "display_name": account.name,
        "description": account.description,
    }


def listing(call: Call) -> Answer:
    cloud, name = call.cloud, call.query.get("display_name")
    found = [a for a in cloud.listed(cloud.accounts.values()) if name in (None, a.name)]
    return paged(call, "iam/v2", "ServiceAccountList", found, lambda a: rendered(cloud, a))


def create(call: Call) -> Answer:
    demand_administrator(call)
    cloud, document = call.cloud, call.document()
    name = str(required(document, "display_name", ""))
    alive = cloud.alive(cloud.accounts.values())
    for other in alive:
        if other.name == name:
            raise taken("service account", name, f"{cloud.address}/iam/v2/service-accounts/{other.id}")
    if len(alive) >= cloud.quotas["service_accounts"]:
        raise control(402, "Quota service_accounts_per_organization exceeded.", "quota_exceeded")
    made = Account(id=cloud.new_id("sa"), name=name, description=str(document.get("description", "")))
    cloud.accounts[made.id] = cloud.made(made)
    return Answer(
        201, rendered(cloud, made), {"Location": f"{cloud.address}/iam/v2/service-accounts/{made.id}"}
    )


def _get(call: Call) -> Account:
    found = call.cloud.accounts.get(call.param("id"))
    if found is None or call.cloud.is_gone(found):
        raise control(404, f"The service account {call.param('id')} was not found.", "resource_not_found")
    return found


def read(call: Call) -> Answer:
    return Answer(200, rendered(call.cloud, _get(call)))


def update(call: Call) -> Answer:
    demand_administrator(call)
    found = _get(call)
    found.description = str(call.document().get("description", found.description))
    found.touched += 1
    return Answer(200, rendered(call.cloud, found))


def delete(call: Call) -> Answer:
    """Its keys and role bindings go with it."""
    demand_administrator(call)
    cloud, found = call.cloud, _get(call)
    for key in cloud.alive(cloud.keys.values()):
        if key.owner == found.id:
            cloud.delete(key)
    for binding in cloud.alive(cloud.bindings.values()):
        if binding.principal == f"User:{found.id}":
            cloud.delete(binding)
    cloud.delete(found)
    return Answer(204)


# -- role bindings -------------------------------------------------------------------------------------------------


def rendered_binding(cloud: Cloud, binding: Binding) -> dict[str, Any]:
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


def binding_listing(call: Call) -> Answer:
    cloud, query = call.cloud, call.query
    if not query.get("crn_pattern"):
        raise invalid("The query parameter 'crn_pattern' is required.", "/crn_pattern")
    found = [
        b
        for b in cloud.listed(cloud.bindings.values())
        if b.crn == query["crn_pattern"]
        and query.get("principal") in (None, b.principal)
        and query.get("role_name") in (None, b.role)
    ]
    return paged(call, "iam/v2", "RoleBindingList", found, lambda b: rendered_binding(cloud, b))


def bind(call: Call) -> Answer:
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
    cloud.bindings[made.id] = cloud.made(made, cloud.timings.binding)
    return Answer(201, rendered_binding(cloud, made))


def _no_binding() -> Refused:
    return coded(40301, "Either unauthorized to access role binding or role binding does not exist")


def _get_binding(call: Call) -> Binding:
    found = call.cloud.bindings.get(call.param("id"))
    if found is None or found.deleted is not None:
        raise _no_binding()
    return found


def read_binding(call: Call) -> Answer:
    return Answer(200, rendered_binding(call.cloud, _get_binding(call)))


def unbind(call: Call) -> Answer:
    demand_administrator(call)
    found = _get_binding(call)
    call.cloud.delete(found)
    return Answer(200, rendered_binding(call.cloud, found))


ROUTES: list[Route] = [
    ("GET", "/iam/v2/service-accounts", listing),
    ("POST", "/iam/v2/service-accounts", create),
    ("GET", "/iam/v2/service-accounts/{id}", read),
    ("PATCH", "/iam/v2/service-accounts/{id}", update),
    ("DELETE", "/iam/v2/service-accounts/{id}", delete),
    ("GET", "/iam/v2/role-bindings", binding_listing),
    ("POST", "/iam/v2/role-bindings", bind),
    ("GET", "/iam/v2/role-bindings/{id}", read_binding),
    ("DELETE", "/iam/v2/role-bindings/{id}", unbind),
]
