"""How a resource is named in an answer: metadata, CRNs and references between resources."""

from typing import Any

from .auth import may_see
from .cloud import Cloud
from .records import Environment, Resource
from .responses import Refused, control, forbidden, invalid
from .routing import Call


def metadata(cloud: Cloud, path: str, resource: Resource, crn: str) -> dict[str, Any]:
    return {
        "self": f"{cloud.address}{path}/{resource.id}",
        "resource_name": crn,
        "created_at": resource.created_at,
        "updated_at": resource.created_at,
    }


def environment_crn(cloud: Cloud, environment_id: str) -> str:
    return f"{cloud.crn}/environment={environment_id}"


def environment_reference(cloud: Cloud, environment_id: str) -> dict[str, str]:
    return {
        "id": environment_id,
        "related": f"{cloud.address}/org/v2/environments/{environment_id}",
        "resource_name": environment_crn(cloud, environment_id),
    }


def live_environment(call: Call, environment_id: str) -> Environment:
    found = call.cloud.environments.get(environment_id)
    hidden = call.plane == "control" and not may_see(call, environment_id)
    if found is None or found.deleted is not None or hidden:
        raise forbidden()
    return found


def quota(cloud: Cloud, code: str, limit: int) -> Refused:
    """Refuses for a quota, with a status of its own, or with a 400 whose words say so."""
    if cloud.answers.quota == "402":
        return control(402, f"Quota {code} exceeded ({limit}).", "quota_exceeded")
    return invalid(f"The number of {code.replace('_', ' ')} is currently limited to {limit}.")
