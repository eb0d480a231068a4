"""Authentication: finds the key of a call and its owner, and checks that the key opens this plane.

Each plane has keys of its own kind: a Cloud key opens the control plane only, a Kafka key its cluster, a
Schema Registry key its registry, a Flink key its region in its environment, a Global key control plane and
Flink.
"""

from .records import Cluster, Key, SchemaRegistry
from .responses import CONTROL_UNAUTHORIZED, WRONG_KIND_OF_KEY, Refused, coded, control, page
from .routing import Call


def authenticate(call: Call) -> Key:
    """Finds the key of the call. Raises Refused with the body that this plane's gateway sends."""
    name, secret = call.credentials or ("", "")
    key = call.cloud.keys.get(name)
    if key is None or key.deleted is not None or key.secret != secret:
        raise unauthorized(call.plane)
    if not _opens(call, key):
        if call.plane == "control":
            raise control(401, WRONG_KIND_OF_KEY)
        if call.plane == "flink" and key.kind == "Region":
            words = "Forbidden: the API key is not valid for this environment and region."
            raise control(403, words, "forbidden_access")
        raise unauthorized(call.plane)
    if not _synced(call, key):
        raise unauthorized(call.plane)
    if call.plane == "control" or may(call, key.owner, environment_of(call)):
        return key
    if call.plane == "kafka":
        raise coded(40301, "Cluster authorization failed.")
    if call.plane == "registry":
        raise coded(40301, "User is denied operation Read on Subject")
    raise control(403, "User is not authorized to access this resource.", "forbidden_access")


def unauthorized(plane: str) -> Refused:
    if plane == "kafka":
        return page(401, "Unauthorized")
    if plane == "registry":
        return coded(401, "Unauthorized", 401)
    return control(401, CONTROL_UNAUTHORIZED)


def _opens(call: Call, key: Key) -> bool:
    cloud = call.cloud
    if call.plane == "control":
        return key.kind in ("Cloud", "Global")
    if call.plane == "kafka":
        cluster = cloud.clusters.get(key.resource)
        return cluster is not None and cluster.endpoint == call.host
    if call.plane == "registry":
        registry = cloud.registries.get(key.resource)
        return registry is not None and registry.endpoint == call.host
    in_region = key.kind == "Region" and flink_host(key.resource) == call.host
    return key.kind == "Global" or (in_region and f"/environments/{key.environment_id}/" in call.path)


def flink_host(region_id: str) -> str:
    """Gives the first labels of the real host: aws.us-east-2 -> flink.us-east-2.aws."""
    provider, _, region = region_id.partition(".")
    return f"flink.{region}.{provider}"


def _synced(call: Call, key: Key) -> bool:
    """Whether the key is known to the node that is asked. A new one is unknown for a while, and then to some nodes
    still."""
    if call.cloud.now() < key.ready:
        return False
    key.asked += 1
    latencies = call.cloud.latencies
    if call.cloud.answers.new_key == "flaps" and call.cloud.now() < key.ready + latencies.key_flaps:
        return key.kind == "Cloud" or key.asked % 3 != 0
    nodes = latencies.key_nodes
    return key.kind == "Cloud" or key.asked > len(nodes) or nodes[key.asked - 1]


def environment_of(call: Call) -> str:
    """Gives the environment that a data plane's address belongs to."""
    if call.plane == "flink":
        parts = call.path.split("/")
        return parts[parts.index("environments") + 1] if "environments" in parts else ""
    owners: list[Cluster | SchemaRegistry] = [*call.cloud.clusters.values(), *call.cloud.registries.values()]
    return next((owner.environment_id for owner in owners if owner.endpoint == call.host), "")


def may(call: Call, owner: str, environment_id: str = "") -> bool:
    """Whether an account or user administers the environment (or the organisation, with "")."""
    cloud = call.cloud
    scopes = {"OrganizationAdmin": cloud.crn, "EnvironmentAdmin": f"{cloud.crn}/environment={environment_id}"}
    return any(
        binding.principal == f"User:{owner}"
        and scopes.get(binding.role) == binding.crn
        and cloud.is_ready(binding)
        for binding in cloud.alive(cloud.bindings.values())
    )


def may_see(call: Call, environment_id: str = "") -> bool:
    return call.caller is not None and may(call, call.caller.owner, environment_id)


def demand_administrator(call: Call, environment_id: str = "") -> None:
    """Raises Refused unless the caller may write: OrganizationAdmin may anywhere, EnvironmentAdmin in its
    environment."""
    if not may_see(call, environment_id):
        raise control(403, "User is not authorized to perform this operation.", "forbidden_access")
