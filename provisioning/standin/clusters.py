"""cmk/v2: Kafka clusters. A deleted one answers 403, as one that never was."""

from typing import Any

from .auth import demand_administrator
from .cloud import CLOUDS, KAFKA_REGIONS, Cloud
from .embedded_services import new_broker
from .paging import paged
from .records import Cluster
from .references import environment_crn, environment_reference, live_environment, metadata, quota
from .responses import Answer, control, forbidden, invalid
from .routing import Call, Route, reference, required
from .tls import KafkaListener

AVAILABILITIES = ("SINGLE_ZONE", "MULTI_ZONE", "LOW", "HIGH")
KINDS = ("Basic", "Standard", "Enterprise", "Dedicated", "Freight")


def cluster_crn(cloud: Cloud, cluster: Cluster) -> str:
    return f"{environment_crn(cloud, cluster.environment_id)}/cloud-cluster={cluster.id}/kafka={cluster.id}"


def phase(cloud: Cloud, cluster: Cluster) -> str:
    if cluster.failed:
        return "FAILED"
    return "PROVISIONED" if cloud.is_ready(cluster) else "PROVISIONING"


def rendered(cloud: Cloud, cluster: Cluster) -> dict[str, Any]:
    """Gives a cluster as an answer. Its addresses are there from the first one on, and answer once it is
    PROVISIONED."""
    config: dict[str, Any] = {"kind": cluster.kind}
    if cluster.max_ecku is not None:
        config["max_ecku"] = cluster.max_ecku
    if cluster.kind == "Dedicated":
        config["cku"] = 1
    spec = {
        "display_name": cluster.name,
        "availability": cluster.availability,
        "cloud": cluster.cloud,
        "region": cluster.region,
        "config": config,
        "deletion_protection": cluster.protected,
        "environment": environment_reference(cloud, cluster.environment_id),
    }
    address = f"{cloud.address}/{cluster.endpoint}"
    public = {
        "kafka_bootstrap_endpoint": cluster.bootstrap,
        "http_endpoint": address,
        "connection_type": "PUBLIC",
    }
    return {
        "api_version": "cmk/v2",
        "kind": "Cluster",
        "id": cluster.id,
        "metadata": metadata(cloud, "/cmk/v2/clusters", cluster, cluster_crn(cloud, cluster)),
        "spec": spec
        | {
            "kafka_bootstrap_endpoint": cluster.bootstrap,
            "http_endpoint": address,
            "endpoints": {"PUBLIC": public},
        },
        "status": {"phase": phase(cloud, cluster)},
    }


def settle(cloud: Cloud) -> None:
    """Ends the Kafka of a cluster that is gone."""
    for cluster in cloud.clusters.values():
        if cloud.is_gone(cluster) and cluster.id in cloud.brokers:
            cloud.brokers.pop(cluster.id).close()
            if cluster.id in cloud.listeners:
                cloud.listeners.pop(cluster.id).close()


def listing(call: Call) -> Answer:
    cloud, environment = call.cloud, live_environment(call, call.environment())
    found = [c for c in cloud.listed(cloud.clusters.values()) if c.environment_id == environment.id]
    return paged(call, "cmk/v2", "ClusterList", found, lambda c: rendered(cloud, c))


def located(spec: dict[str, Any]) -> tuple[str, str]:
    """Reads (cloud, region). Raises Refused for one that is not offered."""
    cloud, region = str(required(spec, "cloud")), str(required(spec, "region"))
    if cloud not in CLOUDS or region not in KAFKA_REGIONS[cloud]:
        raise invalid(f"The region '{region}' of '{cloud}' is not available.", "/spec/region")
    return cloud, region


def create(call: Call) -> Answer:
    cloud, spec = call.cloud, call.spec()
    environment = live_environment(call, reference(spec, "environment"))
    demand_administrator(call, environment.id)
    provider, region = located(spec)
    if required(spec, "availability") not in AVAILABILITIES:
        raise invalid(f"Unknown availability '{spec['availability']}'.", "/spec/availability")
    if required(required(spec, "config"), "kind", "/spec/config") not in KINDS:
        raise invalid(f"Unknown kind '{spec['config']['kind']}'.", "/spec/config/kind")
    if len(list(cloud.live_in(cloud.clusters.values(), environment.id))) >= cloud.quotas["clusters"]:
        raise quota(cloud, "kafka_clusters_per_environment", cloud.quotas["clusters"])
    limit = spec["config"].get("max_ecku")
    if limit is not None and (cloud.answers.max_ecku == "refused" or not isinstance(limit, int) or limit < 1):
        raise invalid("max_ecku is not valid for this cluster.", "/spec/config/max_ecku", status=422)
    made = Cluster(
        id=cloud.new_id("lkc"),
        name=str(required(spec, "display_name")),
        environment_id=environment.id,
        cloud=provider,
        region=region,
        availability=spec["availability"],
        kind=spec["config"]["kind"],
        max_ecku=limit,
        endpoint=cloud.new_id("pkc"),
        protected=bool(spec.get("deletion_protection", False)),
    )
    cloud.brokers[made.id] = new_broker(cloud.kafka)
    plain = cloud.brokers[made.id].bootstrap
    if cloud.tls is None:
        bootstrap = f"PLAINTEXT://{plain}"
    else:
        listener = KafkaListener(
            plain, cloud.tls, lambda key, secret: cloud.opens_kafka(made.id, key, secret)
        )
        cloud.listeners[made.id] = listener
        bootstrap = f"SASL_SSL://{listener.bootstrap}"
    made.bootstrap = bootstrap
    cloud.clusters[made.id] = cloud.made(made, cloud.latencies.cluster)
    return Answer(202, rendered(cloud, made))


def _get(call: Call, environment_id: str) -> Cluster:
    found = call.cloud.clusters.get(call.param("id"))
    if found is None or call.cloud.is_gone(found) or found.environment_id != environment_id:
        raise forbidden()
    return found


def read(call: Call) -> Answer:
    return Answer(200, rendered(call.cloud, _get(call, call.environment())))


def update(call: Call) -> Answer:
    spec = call.spec()
    found = _get(call, reference(spec, "environment"))
    demand_administrator(call, found.environment_id)
    found.protected = bool(spec.get("deletion_protection", found.protected))
    found.name = spec.get("display_name", found.name)
    found.touched += 1
    return Answer(200, rendered(call.cloud, found))


def delete(call: Call) -> Answer:
    """Deletes a cluster with its topics and keys. Subjects, pools and statements stay, and statements that used it
    degrade."""
    cloud, found = call.cloud, _get(call, call.environment())
    demand_administrator(call, found.environment_id)
    if found.protected:
        raise control(409, "Unable to delete cluster: deletion protection is enabled.", "conflict")
    for topic in cloud.topics:
        if topic.cluster_id == found.id:
            cloud.delete(topic)
    for key in cloud.alive(cloud.keys.values()):
        if key.resource == found.id:
            cloud.delete(key)
    cloud.delete(found, cloud.latencies.cluster_gone)
    return Answer(204)


ROUTES: list[Route] = [
    ("GET", "/cmk/v2/clusters", listing),
    ("POST", "/cmk/v2/clusters", create),
    ("GET", "/cmk/v2/clusters/{id}", read),
    ("PATCH", "/cmk/v2/clusters/{id}", update),
    ("DELETE", "/cmk/v2/clusters/{id}", delete),
]
