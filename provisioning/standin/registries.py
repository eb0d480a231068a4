"""srcm/v3: Schema Registry clusters. One appears when its environment has a package and a cluster."""

from typing import Any

from .cloud import Cloud
from .embedded_services import Subjects
from .paging import paged
from .records import SchemaRegistry
from .references import environment_crn, environment_reference, live_environment, metadata
from .responses import Answer, forbidden
from .routing import Call, Route


def settle(cloud: Cloud) -> None:
    """Makes the registries that are due."""
    for environment in cloud.alive(cloud.environments.values()):
        has_one = any(True for _ in cloud.live_in(cloud.registries.values(), environment.id))
        if environment.package and not has_one:
            takes = cloud.latencies.registry
            clusters = cloud.live_in(cloud.clusters.values(), environment.id)
            cluster = next((c for c in clusters if cloud.now() >= c.ready + takes and not c.failed), None)
            if cluster is not None:
                found = SchemaRegistry(
                    id=cloud.new_id("lsrc"),
                    name="Stream Governance Package",
                    environment_id=environment.id,
                    cloud=cluster.cloud,
                    region=cluster.region,
                    endpoint=cloud.new_id("psrc"),
                    created=cluster.ready + takes - cloud.latencies.listed,
                    ready=cluster.ready + 2 * takes,
                )
                cloud.registries[found.id] = found
                cloud.subjects[found.id] = Subjects()


def close(cloud: Cloud, environment_id: str) -> None:
    for registry in cloud.registries.values():
        if registry.environment_id == environment_id and registry.id in cloud.subjects:
            cloud.subjects.pop(registry.id).close()


def rendered(cloud: Cloud, found: SchemaRegistry) -> dict[str, Any]:
    environment = cloud.environments[found.environment_id]
    address = f"{cloud.address}/{found.endpoint}"
    crn = f"{environment_crn(cloud, environment.id)}/schema-registry={found.id}"
    return {
        "api_version": "srcm/v3",
        "kind": "Cluster",
        "id": found.id,
        "metadata": metadata(cloud, "/srcm/v3/clusters", found, crn),
        "spec": {
            "display_name": found.name,
            "package": environment.package,
            "http_endpoint": address,
            "catalog_http_endpoint": address,
            "cloud": found.cloud,
            "region": found.region,
            "environment": environment_reference(cloud, environment.id),
        },
        "status": {"phase": "PROVISIONED" if cloud.is_ready(found) else "PROVISIONING"},
    }


def listing(call: Call) -> Answer:
    cloud, environment = call.cloud, live_environment(call, call.environment())
    found = [r for r in cloud.listed(cloud.registries.values()) if r.environment_id == environment.id]
    return paged(call, "srcm/v3", "ClusterList", found, lambda r: rendered(cloud, r))


def read(call: Call) -> Answer:
    cloud, environment_id = call.cloud, call.environment()
    found = cloud.registries.get(call.param("id"))
    if found is None or found.deleted is not None or found.environment_id != environment_id:
        raise forbidden()
    return Answer(200, rendered(cloud, found))


ROUTES: list[Route] = [("GET", "/srcm/v3/clusters", listing), ("GET", "/srcm/v3/clusters/{id}", read)]
