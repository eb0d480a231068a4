"""A person at the stand-in's doors, for its own tests: sends calls, builds a lab, turns the clock."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from provisioning.standin import Standin

KeyPair = tuple[str, str]
POSITIONS = (Path(__file__).resolve().parents[2] / "races/streams/schemas/positions.avsc").read_text()


class ManualClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class Caller:
    """Sends calls with the given key; `base` is the endpoint."""

    def __init__(self, base: str, key: KeyPair, timeout: float = 5.0) -> None:
        self.base, self.timeout = base, timeout
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = key

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        content = (
            {"Content-Type": headers.get("content_type", "application/json")} if body is not None else {}
        )
        return self.session.request(
            method, self.base + path, json=body, headers=content, timeout=self.timeout, allow_redirects=False
        )

    def get(self, path: str) -> Any:
        response = self("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def names(self, path: str) -> list[str]:
        """Display names of a list's first page."""
        return [item.get("display_name") or item["spec"]["display_name"] for item in self.get(path)["data"]]


def as_administrator(standin: Standin) -> Caller:
    return Caller(standin.url, (standin.key, standin.secret))


@dataclass
class Lab:
    """All that provisioning makes before the topics: ids, and a caller for each plane."""

    cloud: Caller
    organization: str
    environment: str
    cluster: str
    pool: str
    account: str
    keys: dict[str, KeyPair]
    kafka: Caller
    registry: Caller
    flink: Caller

    @property
    def topics(self) -> str:
        return f"/kafka/v3/clusters/{self.cluster}/topics"

    def statement(self, name: str, sql: str, **properties: str) -> requests.Response:
        everything = {"sql.current-catalog": "lab", "sql.current-database": "lab-cluster", **properties}
        body = {
            "name": name,
            "organization_id": self.organization,
            "environment_id": self.environment,
            "metadata": {"labels": {"user.confluent.io/lab": "true"}},
            "spec": {
                "statement": sql,
                "properties": everything,
                "compute_pool_id": self.pool,
                "stopped": False,
            },
        }
        return self.flink("POST", "/statements", body)

    def status(self, name: str) -> tuple[str, str]:
        status = self.flink.get(f"/statements/{name}")["status"]
        return status["phase"], status["detail"]

    def run(self, name: str, sql: str, **properties: str) -> tuple[str, str]:
        """(phase, detail) after its start."""
        answer = self.statement(name, sql, **properties)
        assert answer.status_code == 201, answer.text
        return self.status(name)

    def topic(self, name: str, **more: Any) -> requests.Response:
        return self.kafka("POST", self.topics, {"topic_name": name, "partitions_count": 2, **more})


def environment_body(name: str = "lab", package: str = "ESSENTIALS") -> dict[str, Any]:
    return {"display_name": name, "stream_governance_config": {"package": package}}


def cluster_body(environment: str, name: str = "lab-cluster", **more: Any) -> dict[str, Any]:
    spec = {
        "display_name": name,
        "availability": "SINGLE_ZONE",
        "cloud": "AWS",
        "region": "us-east-2",
        "config": {"kind": "Basic"},
        "environment": {"id": environment},
    }
    return {"spec": spec | more}


def pool_body(environment: str, max_cfu: int = 5, name: str = "lab-pool") -> dict[str, Any]:
    place = {"cloud": "AWS", "region": "us-east-2", "environment": {"id": environment}}
    return {"spec": {"display_name": name, "max_cfu": max_cfu, **place}}


def key_body(owner: str, resource: dict[str, str] | None, name: str = "key") -> dict[str, Any]:
    spec: dict[str, Any] = {"display_name": name, "owner": {"id": owner}}
    return {"spec": spec | ({"resource": resource} if resource else {})}


def made(response: requests.Response) -> Any:
    assert response.status_code in (200, 201, 202), response.text
    return response.json()


def new_key(cloud: Caller, owner: str, resource: dict[str, str] | None) -> KeyPair:
    key = made(cloud("POST", "/iam/v2/api-keys", key_body(owner, resource)))
    return key["id"], key["spec"]["secret"]


def build(standin: Standin) -> Lab:
    """Needs a stand-in where nothing takes time."""
    cloud = as_administrator(standin)
    organization = cloud.get("/org/v2/organizations?page_size=1")["data"][0]["id"]
    environment = made(cloud("POST", "/org/v2/environments", environment_body()))
    place = environment["id"]
    cluster = made(cloud("POST", "/cmk/v2/clusters", cluster_body(place)))
    pool = made(cloud("POST", "/fcpm/v2/compute-pools", pool_body(place)))
    registry = cloud.get(f"/srcm/v3/clusters?environment={place}")["data"][0]
    region = cloud.get("/fcpm/v2/regions?cloud=AWS&region_name=us-east-2")["data"][0]
    account = made(cloud("POST", "/iam/v2/service-accounts", {"display_name": "lab", "description": "ours"}))
    crn = environment["metadata"]["resource_name"]
    bind(cloud, account["id"], crn)
    keys = {
        "kafka": new_key(cloud, account["id"], {"id": cluster["id"]}),
        "registry": new_key(cloud, account["id"], {"id": registry["id"]}),
        "flink": new_key(cloud, account["id"], {"id": region["id"], "environment": place}),
    }
    sql = f"{region['http_endpoint']}/sql/v1/organizations/{organization}/environments/{place}"
    return Lab(
        cloud=cloud,
        organization=organization,
        environment=place,
        cluster=cluster["id"],
        pool=pool["id"],
        account=account["id"],
        keys=keys,
        kafka=Caller(cluster["spec"]["http_endpoint"], keys["kafka"]),
        registry=Caller(registry["spec"]["http_endpoint"], keys["registry"]),
        flink=Caller(sql, keys["flink"]),
    )


def bind(cloud: Caller, account: str, crn: str, role: str = "EnvironmentAdmin") -> requests.Response:
    body = {"principal": f"User:{account}", "role_name": role, "crn_pattern": crn}
    return cloud("POST", "/iam/v2/role-bindings", body)
