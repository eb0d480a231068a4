"""The organisation that the Cloud API key belongs to, and the region's Flink: both only read."""

from __future__ import annotations

from provisioning.client import Api
from provisioning.errors import ApiError, ProvisioningError
from provisioning.session import Session

REGIONS = "https://docs.confluent.io/cloud/current/flink/reference/cloud-regions.html"


def organization_id(cloud: Api) -> str:
    """The first call of every command: a wrong key fails here, before anything was made."""
    answer = cloud.get("/org/v2/organizations", page_size="1")
    if not answer.get("data"):
        raise ProvisioningError("The Cloud API key sees no organisation.")
    return str(answer["data"][0]["id"])


def flink_region(session: Session) -> dict[str, str]:
    """{"id", "endpoint"} of Flink in the wanted region."""
    wanted = session.wanted
    found = _regions(session, wanted.region)
    if not found:
        offered = ", ".join(sorted({str(r["region_name"]) for r in _regions(session, "")})) or "none"
        raise ProvisioningError(
            f"Flink is not offered in {wanted.cloud} {wanted.region}.",
            f"Set confluent.region in config.yaml to one of: {offered}. Running again helps after that.",
            REGIONS,
        )
    return {"id": str(found[0]["id"]), "endpoint": str(found[0]["http_endpoint"])}


def _regions(session: Session, name: str) -> list[dict[str, str]]:
    only = {"region_name": name} if name else {}
    try:
        return list(session.cloud.pages("/fcpm/v2/regions", cloud=session.wanted.cloud, **only))
    except ApiError as error:
        if error.status in (400, 404, 422):  # how an unknown region may be said
            return []
        raise
