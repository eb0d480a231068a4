"""iam/v2: service accounts. They belong to the organisation, to no environment."""

from typing import Any

from .auth import demand_administrator, may_see
from .cloud import Cloud
from .paging import paged
from .records import Account
from .references import metadata, quota
from .responses import Answer, control, taken
from .routing import Call, Route, required


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
    found = [a for a in cloud.listed(cloud.accounts.values()) if name in (None, a.name) and may_see(call)]
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
        raise quota(cloud, "service_accounts_per_organization", cloud.quotas["service_accounts"])
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
    """Deletes the account. Its keys and role bindings go with it."""
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


ROUTES: list[Route] = [
    ("GET", "/iam/v2/service-accounts", listing),
    ("POST", "/iam/v2/service-accounts", create),
    ("GET", "/iam/v2/service-accounts/{id}", read),
    ("PATCH", "/iam/v2/service-accounts/{id}", update),
    ("DELETE", "/iam/v2/service-accounts/{id}", delete),
]
