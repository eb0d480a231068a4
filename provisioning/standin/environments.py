"""org/v2: the organisation and its environments."""

from typing import Any

from . import registries
from .auth import demand_administrator, may_see
from .cloud import Cloud
from .paging import paged
from .records import Environment, Resource
from .references import environment_crn, metadata, quota
from .responses import Answer, control, invalid, taken, unknown
from .routing import Call, Route, required

PACKAGES = ("ESSENTIALS", "ADVANCED")


def rendered(cloud: Cloud, found: Environment) -> dict[str, Any]:
    body: dict[str, Any] = {
        "api_version": "org/v2",
        "kind": "Environment",
        "id": found.id,
        "metadata": metadata(cloud, "/org/v2/environments", found, environment_crn(cloud, found.id)),
        "display_name": found.name,
    }
    if found.package:
        body["stream_governance_config"] = {"package": found.package}
    return body


def organizations(call: Call) -> Answer:
    cloud = call.cloud
    owner = Resource(id=cloud.organization, name=cloud.organization_name, sequence=1)

    def render(_: Resource) -> dict[str, Any]:
        return {
            "api_version": "org/v2",
            "kind": "Organization",
            "id": owner.id,
            "metadata": metadata(cloud, "/org/v2/organizations", owner, cloud.crn),
            "display_name": owner.name,
            "jit_enabled": False,
        }

    return paged(call, "org/v2", "OrganizationList", [owner], render)


def listing(call: Call) -> Answer:
    """Lists those that the caller may see."""
    cloud = call.cloud
    found = [e for e in cloud.listed(cloud.environments.values()) if may_see(call, e.id)]
    return paged(call, "org/v2", "EnvironmentList", found, lambda e: rendered(cloud, e))


def _package(document: dict[str, Any]) -> str:
    package = (document.get("stream_governance_config") or {}).get("package", "")
    if package and package not in PACKAGES:
        raise invalid(f"Unknown package '{package}'.", "/stream_governance_config/package")
    return str(package)


def create(call: Call) -> Answer:
    demand_administrator(call)
    cloud, document = call.cloud, call.document()
    name, package = str(required(document, "display_name", "")), _package(document)
    alive = cloud.alive(cloud.environments.values())
    for other in alive:
        if other.name == name:
            raise taken("environment", name, f"{cloud.address}/org/v2/environments/{other.id}")
    if len(alive) >= cloud.quotas["environments"]:
        raise quota(cloud, "environments_per_organization", cloud.quotas["environments"])
    made = cloud.made(Environment(id=cloud.new_id("env"), name=name, package=package))
    cloud.environments[made.id] = made
    return Answer(201, rendered(cloud, made), {"Location": f"{cloud.address}/org/v2/environments/{made.id}"})


def _get(call: Call) -> Environment:
    found = call.cloud.environments.get(call.param("id"))
    if found is None or call.cloud.is_gone(found):
        raise unknown("environment", call.param("id"))
    return found


def read(call: Call) -> Answer:
    return Answer(200, rendered(call.cloud, _get(call)))


def update(call: Call) -> Answer:
    found, document = _get(call), call.document()
    demand_administrator(call, found.id)
    package = _package(document) or found.package
    if found.package == "ADVANCED" and package == "ESSENTIALS":
        raise invalid("ADVANCED can't be downgraded.", "/stream_governance_config/package")
    found.name, found.package = document.get("display_name", found.name), package
    found.touched += 1
    return Answer(200, rendered(call.cloud, found))


def delete(call: Call) -> Answer:
    """Takes everything in it along, but no service account and no role of the organisation."""
    found, cloud = _get(call), call.cloud
    demand_administrator(call, found.id)
    clusters = list(cloud.live_in(cloud.clusters.values(), found.id))
    if any(cluster.protected for cluster in clusters):
        raise control(409, "The environment holds a cluster with deletion protection.", "conflict")
    for part in (*clusters, *_parts(cloud, found.id)):
        cloud.delete(part, cloud.latencies.environment_gone)
    for topic in cloud.topics:
        if any(topic.cluster_id == cluster.id for cluster in clusters):
            cloud.delete(topic)
    cloud.delete(found, cloud.latencies.environment_gone)
    registries.close(cloud, found.id)
    return Answer(204)


def _parts(cloud: Cloud, environment_id: str) -> list[Resource]:
    """Lists what lives in an environment besides its clusters. Its keys and the roles on it go too."""
    inside: list[Resource] = []
    for collection in (
        cloud.registries.values(),
        cloud.pools.values(),
        cloud.keys.values(),
        cloud.connections,
    ):
        inside += cloud.live_in(collection, environment_id)
    catalogue: list[Resource] = [*cloud.models, *cloud.agents, *cloud.statements]
    inside += cloud.live_in(catalogue, environment_id)
    crn = environment_crn(cloud, environment_id)
    return inside + [
        b for b in cloud.alive(cloud.bindings.values()) if b.crn == crn or b.crn.startswith(crn + "/")
    ]


ROUTES: list[Route] = [
    ("GET", "/org/v2/organizations", organizations),
    ("GET", "/org/v2/environments", listing),
    ("POST", "/org/v2/environments", create),
    ("GET", "/org/v2/environments/{id}", read),
    ("PATCH", "/org/v2/environments/{id}", update),
    ("DELETE", "/org/v2/environments/{id}", delete),
]
