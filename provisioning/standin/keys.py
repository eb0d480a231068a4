"""iam/v2: API keys. The secret is in the answer to the POST and nowhere else."""

from typing import Any

from .accounts import account_reference
from .auth import demand_administrator
from .cloud import Cloud
from .paging import paged
from .pools import region_id, regions
from .records import Key
from .references import environment_crn, metadata
from .responses import Answer, control, forbidden, invalid
from .routing import Call, Route, reference

KIND_VERSIONS = {"Cluster": "cmk/v2", "SchemaRegistry": "srcm/v3", "Region": "fcpm/v2", "Global": "global/v1"}


def rendered(cloud: Cloud, key: Key, with_secret: bool = False) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "display_name": key.name,
        "description": key.description,
        "owner": account_reference(cloud, key.owner),
    }
    if key.kind != "Cloud":
        scope = environment_crn(cloud, key.environment_id) if key.environment_id else cloud.crn
        found = {
            "id": key.resource,
            "related": f"{cloud.address}/{KIND_VERSIONS[key.kind]}/{key.resource}",
            "resource_name": f"{scope}/resource={key.resource}",
            "api_version": KIND_VERSIONS[key.kind],
            "kind": key.kind,
        }
        spec["resource"] = found | ({"environment": key.environment_id} if key.kind == "Region" else {})
    if with_secret:
        spec["secret"] = key.secret
    return {
        "api_version": "iam/v2",
        "kind": "ApiKey",
        "id": key.id,
        "metadata": metadata(cloud, "/iam/v2/api-keys", key, f"{cloud.crn}/api-key={key.id}"),
        "spec": spec,
    }


def listing(call: Call) -> Answer:
    cloud, query = call.cloud, call.query
    owner, resource = query.get("spec.owner"), query.get("spec.resource")
    found = [
        k
        for k in cloud.listed(cloud.keys.values())
        if owner in (None, k.owner) and resource in (None, k.resource)
    ]
    return paged(call, "iam/v2", "ApiKeyList", found, lambda k: rendered(cloud, k))


def _target(cloud: Cloud, resource: dict[str, Any]) -> tuple[str, str, str]:
    """Reads (resource id, kind, environment) of what the key shall open. Raises Refused."""
    wanted = str(resource.get("id", ""))
    for kind, collection in (("Cluster", cloud.clusters), ("SchemaRegistry", cloud.registries)):
        found = collection.get(wanted)
        if found is not None and found.deleted is None:
            return wanted, kind, str(getattr(found, "environment_id", ""))
    if wanted in [region_id(*pair) for pair in regions()]:
        environment = cloud.environments.get(str(resource.get("environment", "")))
        if environment is None or environment.deleted is not None:
            raise invalid("A key for a Flink region needs its environment.", "/spec/resource/environment")
        return wanted, "Region", environment.id
    if wanted in ("cloud", "global"):
        return wanted, wanted.title(), ""
    raise invalid(f"The resource '{wanted}' does not exist.", "/spec/resource/id")


def create(call: Call) -> Answer:
    cloud, spec = call.cloud, call.spec()
    owner, (resource, kind, environment) = (
        reference(spec, "owner"),
        _target(cloud, spec.get("resource") or {"id": "cloud"}),
    )
    demand_administrator(call, environment)
    account = cloud.accounts.get(owner)
    if account is None or account.deleted is not None:
        raise invalid(f"The owner '{owner}' does not exist.", "/spec/owner/id")
    if (
        kind == "Global"
        and sum(k.kind == kind and k.owner == owner for k in cloud.alive(cloud.keys.values())) >= 2
    ):
        raise control(402, "Quota global_api_keys_per_principal exceeded.", "quota_exceeded")
    made = Key(
        id=cloud.new_key_id(),
        name=str(spec.get("display_name", "")),
        secret=cloud.new_secret(),
        owner=owner,
        resource=resource,
        kind=kind,
        environment_id=environment,
        description=str(spec.get("description", "")),
    )
    cloud.keys[made.id] = cloud.made(made, cloud.latencies.key)
    return Answer(202, rendered(cloud, made, with_secret=True))


def _get(call: Call) -> Key:
    found = call.cloud.keys.get(call.param("id"))
    if found is None or found.deleted is not None:
        raise forbidden()
    return found


def read(call: Call) -> Answer:
    return Answer(200, rendered(call.cloud, _get(call)))


def update(call: Call) -> Answer:
    found, spec = _get(call), call.spec()
    demand_administrator(call, found.environment_id)
    found.name = str(spec.get("display_name", found.name))
    found.description = str(spec.get("description", found.description))
    found.touched += 1
    return Answer(200, rendered(call.cloud, found))


def delete(call: Call) -> Answer:
    found = _get(call)
    demand_administrator(call, found.environment_id)
    call.cloud.delete(found)
    return Answer(204)


ROUTES: list[Route] = [
    ("GET", "/iam/v2/api-keys", listing),
    ("POST", "/iam/v2/api-keys", create),
    ("GET", "/iam/v2/api-keys/{id}", read),
    ("PATCH", "/iam/v2/api-keys/{id}", update),
    ("DELETE", "/iam/v2/api-keys/{id}", delete),
]
