"""fcpm/v2: Flink regions and compute pools."""

import re
from typing import Any

from .auth import demand_administrator, flink_host
from .cloud import KAFKA_REGIONS, REGIONS_WITHOUT_FLINK, Cloud
from .clusters import located
from .paging import paged
from .records import Pool, Resource
from .references import environment_crn, environment_reference, live_environment, metadata
from .responses import Answer, control, invalid
from .routing import Call, Route, reference, required

NAME = re.compile(r"^(?:[0-9A-Za-z\-])[\w\.-]{0,63}$")
SIZES = (5, 10, 20, 30, 40, 50)


def regions() -> list[tuple[str, str]]:
    """Lists (cloud, region) of each that has Flink."""
    return [(c, r) for c, names in KAFKA_REGIONS.items() for r in names if r not in REGIONS_WITHOUT_FLINK]


def region_id(provider: str, region: str) -> str:
    return f"{provider.lower()}.{region}"


def region_listing(call: Call) -> Answer:
    wanted = (call.query.get("cloud"), call.query.get("region_name"))
    found = [
        Resource(id=region_id(*pair), name="{} {}".format(*pair), sequence=number)
        for number, pair in enumerate(regions(), start=1)
        if wanted[0] in (None, pair[0]) and wanted[1] in (None, pair[1])
    ]
    return paged(call, "fcpm/v2", "RegionList", found, lambda region: _region(call.cloud, region), full=False)


def _region(cloud: Cloud, found: Resource) -> dict[str, Any]:
    provider, region = found.name.split(" ")
    return {
        "api_version": "fcpm/v2",
        "kind": "Region",
        "id": found.id,
        "metadata": metadata(
            cloud, "/fcpm/v2/regions", found, f"crn://confluent.cloud/flink-region={found.id}"
        ),
        "display_name": region,
        "cloud": provider,
        "region_name": region,
        "http_endpoint": f"{cloud.address}/{flink_host(found.id)}",
    }


def used_cfu(cloud: Cloud, pool_id: str) -> int:
    """Counts one CFU for each statement that runs in the pool."""
    running = ("RUNNING", "DEGRADED", "STOPPING")
    return sum(1 for s in cloud.alive(cloud.statements) if s.pool_id == pool_id and s.phase in running)


def phase(cloud: Cloud, pool: Pool) -> str:
    if pool.deleted is not None:
        return "DEPROVISIONING"
    if pool.failed:
        return "FAILED"
    return "PROVISIONED" if cloud.is_ready(pool) else "PROVISIONING"


def rendered(cloud: Cloud, pool: Pool) -> dict[str, Any]:
    region = region_id(pool.cloud, pool.region)
    crn = f"{environment_crn(cloud, pool.environment_id)}/flink-region={region}/compute-pool={pool.id}"
    return {
        "api_version": "fcpm/v2",
        "kind": "ComputePool",
        "id": pool.id,
        "metadata": metadata(cloud, "/fcpm/v2/compute-pools", pool, crn),
        "spec": {
            "display_name": pool.name,
            "cloud": pool.cloud,
            "region": pool.region,
            "max_cfu": pool.max_cfu,
            "enable_ai": False,
            "default_pool": pool.default,
            "environment": environment_reference(cloud, pool.environment_id),
        },
        "status": {"phase": phase(cloud, pool), "current_cfu": used_cfu(cloud, pool.id)},
    }


def listing(call: Call) -> Answer:
    cloud, environment = call.cloud, live_environment(call, call.environment())
    found = [p for p in cloud.listed(cloud.pools.values()) if p.environment_id == environment.id]
    return paged(call, "fcpm/v2", "ComputePoolList", found, lambda p: rendered(cloud, p), full=False)


def create(call: Call) -> Answer:
    cloud, spec = call.cloud, call.spec()
    environment = live_environment(call, reference(spec, "environment"))
    demand_administrator(call, environment.id)
    provider, region = located(spec)
    if (provider, region) not in regions():
        raise invalid(f"Flink is not available in '{region}'.", "/spec/region")
    name, size = str(required(spec, "display_name")), required(spec, "max_cfu")
    if not NAME.match(name):
        raise invalid("The display name is not valid.", "/spec/display_name", status=422)
    made = Pool(
        id=cloud.new_id("lfcp"),
        name=name,
        environment_id=environment.id,
        cloud=provider,
        region=region,
        max_cfu=_size(size),
        default=_may_be_default(call, environment.id, spec),
    )
    cloud.pools[made.id] = cloud.made(made, cloud.latencies.pool)
    return Answer(202, rendered(cloud, made))


def _may_be_default(call: Call, environment_id: str, spec: dict[str, Any]) -> bool:
    """Whether the pool becomes the default one, of which each environment and region has one. Raises Refused."""
    answer = call.cloud.answers.default_pool
    if not spec.get("default_pool") or answer == "ignored":
        return False
    standing = call.cloud.live_in(call.cloud.pools.values(), environment_id)
    if answer == "refused" or any(pool.default and pool.region == spec["region"] for pool in standing):
        raise invalid("default_pool cannot be set.", "/spec/default_pool", status=422)
    return True


def default_pool(call: Call, environment_id: str) -> Pool:
    """Gives the pool of a statement that names none, made on demand. Raises Refused."""
    cloud, (region, provider) = call.cloud, call.host.split(".")[1:3]
    for pool in cloud.live_in(cloud.pools.values(), environment_id):
        if pool.default and pool.region == region:
            return pool
    if cloud.answers.workspace == "refused":
        raise invalid("The field 'compute_pool_id' is required.", "/spec/compute_pool_id")
    made = Pool(
        id=cloud.new_id("lfcp"),
        name="default-pool",
        environment_id=environment_id,
        cloud=provider.upper(),
        region=region,
        max_cfu=50,
        default=True,
    )
    cloud.pools[made.id] = cloud.made(made)
    return made


def _size(size: object) -> int:
    if size not in SIZES:
        raise invalid(f"max_cfu must be one of {', '.join(map(str, SIZES))}.", "/spec/max_cfu", status=422)
    return int(str(size))


def _get(call: Call, environment_id: str) -> Pool:
    found = call.cloud.pools.get(call.param("id"))
    if found is None or call.cloud.is_gone(found) or found.environment_id != environment_id:
        raise control(403, f"The compute pool {call.param('id')} was not found.", "forbidden_access")
    return found


def read(call: Call) -> Answer:
    return Answer(200, rendered(call.cloud, _get(call, call.environment())))


def update(call: Call) -> Answer:
    spec = call.spec()
    found = _get(call, reference(spec, "environment"))
    demand_administrator(call, found.environment_id)
    size = _size(spec.get("max_cfu", found.max_cfu))
    if size < found.max_cfu:
        raise invalid("max_cfu can't be lowered.", "/spec/max_cfu", status=422)
    found.max_cfu, found.name, found.touched = size, spec.get("display_name", found.name), found.touched + 1
    return Answer(200, rendered(call.cloud, found))


def delete(call: Call) -> Answer:
    cloud, found = call.cloud, _get(call, call.environment())
    demand_administrator(call, found.environment_id)
    cloud.delete(found, cloud.latencies.pool_gone)
    return Answer(204)


ROUTES: list[Route] = [
    ("GET", "/fcpm/v2/regions", region_listing),
    ("GET", "/fcpm/v2/compute-pools", listing),
    ("POST", "/fcpm/v2/compute-pools", create),
    ("GET", "/fcpm/v2/compute-pools/{id}", read),
    ("PATCH", "/fcpm/v2/compute-pools/{id}", update),
    ("DELETE", "/fcpm/v2/compute-pools/{id}", delete),
]
