"""The keys of the stand-in: each opens its own plane, some time after it was made."""

from collections.abc import Iterator

import pytest

from provisioning.standin import Latencies, Standin, administrator
from tests.fakes import openapi, standin_fixtures
from tests.fakes.api_caller import (
    Caller,
    Lab,
    ManualClock,
    as_administrator,
    bind,
    build,
    environment_body,
    made,
    new_key,
)


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(kafka=False) as found:
        yield found
    assert openapi.problems(found.calls) == []


def statuses(lab: Lab, kind: str) -> dict[str, int]:
    """What each plane answers to the key of one kind."""
    key = (lab.cloud.session.auth if kind == "cloud" else lab.keys[kind]) or ("", "")
    doors = {
        "cloud": (lab.cloud.base, "/org/v2/environments"),
        "kafka": (lab.kafka.base, lab.topics),
        "registry": (lab.registry.base, "/subjects"),
        "flink": (lab.flink.base, "/statements"),
    }
    return {door: Caller(base, key)("GET", path).status_code for door, (base, path) in doors.items()}  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["cloud", "kafka", "registry", "flink"])
def test_key_opens_its_own_plane_only(standin: Standin, kind: str) -> None:
    """A key opens its own plane and is 401 on every other."""
    lab = build(standin)
    assert statuses(lab, kind) == {
        d: 200 if d == kind else 401 for d in ("cloud", "kafka", "registry", "flink")
    }


def test_each_plane_refuses_in_its_own_shape(standin: Standin) -> None:
    """Each plane refuses in its own shape."""
    lab = build(standin)
    wrong = ("NOTAKEY", "nothing")
    cloud = Caller(lab.cloud.base, wrong)("GET", "/org/v2/environments")
    assert cloud.json()["errors"][0]["detail"] == "Unauthorized"
    kafka = Caller(lab.kafka.base, wrong)("GET", lab.topics)
    assert kafka.headers["Content-Type"].startswith("text/html")
    registry = Caller(lab.registry.base, wrong)("GET", "/subjects")
    assert registry.json() == {"error_code": 401, "message": "Unauthorized"}
    flink = Caller(lab.flink.base, wrong)("GET", "/statements")
    assert flink.json()["errors"][0]["status"] == "401"


def test_cluster_key_at_the_control_plane(standin: Standin) -> None:
    """The control plane tells a cluster key what kind it wants."""
    lab = build(standin)
    refused = Caller(lab.cloud.base, lab.keys["kafka"])("GET", "/org/v2/environments")
    assert "invalid API key: make sure you're using a Cloud API Key" in refused.json()["errors"][0]["detail"]


def test_kafka_key_of_another_cluster(standin: Standin) -> None:
    """A Kafka key of another cluster is 401."""
    lab = build(standin)
    other = standin_fixtures.add_cluster(standin.state, lab.environment, "other")
    key = new_key(lab.cloud, lab.account, {"id": other.id})
    assert Caller(lab.kafka.base, key)("GET", lab.topics).status_code == 401


def test_flink_key_of_another_environment(standin: Standin) -> None:
    """A Flink key is 403 in another environment."""
    lab = build(standin)
    other = made(lab.cloud("POST", "/org/v2/environments", environment_body("other")))["id"]
    elsewhere = lab.flink.base.replace(lab.environment, other)
    assert Caller(elsewhere, lab.keys["flink"])("GET", "/statements").status_code == 403


def test_flink_key_needs_its_environment(standin: Standin) -> None:
    """A Flink key needs its environment."""
    lab = build(standin)
    body = {"spec": {"owner": {"id": lab.account}, "resource": {"id": "aws.us-east-2"}}}
    assert lab.cloud("POST", "/iam/v2/api-keys", body).status_code == 400


def test_a_deleted_key_opens_nothing(standin: Standin) -> None:
    lab = build(standin)
    lab.cloud("DELETE", f"/iam/v2/api-keys/{lab.keys['registry'][0]}")
    assert lab.registry("GET", "/subjects").status_code == 401


def test_new_key_is_unknown_for_a_while() -> None:
    """A new key is unknown for a while and then to some nodes."""
    manual_clock = ManualClock()
    with Standin(
        Latencies(key=40, key_nodes=(True, False, True, True, False)), clock=manual_clock, kafka=False
    ) as standin:
        lab = build(standin)

        def ask() -> int:
            return lab.registry("GET", "/subjects").status_code

        assert [ask(), ask()] == [401, 401]
        manual_clock.advance(40)
        assert [ask() for _ in range(7)] == [200, 401, 200, 200, 401, 200, 200]


def test_key_without_a_role_yet() -> None:
    """A key without a role yet is 403 until the binding has spread."""
    manual_clock = ManualClock()
    with Standin(Latencies(binding=30), clock=manual_clock, kafka=False) as standin:
        lab = build(standin)
        before = [
            c("GET", p)
            for c, p in ((lab.kafka, lab.topics), (lab.registry, "/subjects"), (lab.flink, "/statements"))
        ]
        assert [answer.status_code for answer in before] == [403, 403, 403]
        assert before[0].json()["error_code"] == 40301
        manual_clock.advance(30)
        assert lab.kafka("GET", lab.topics).status_code == 200


def test_caller_without_a_role(standin: Standin) -> None:
    """A caller without a role sees nothing and may make nothing."""
    lab = build(standin)
    administrator.add_cloud_key(standin.state, "WEAK", "secret", "u-guest")
    guest = Caller(standin.url, ("WEAK", "secret"))
    assert guest.get("/org/v2/environments")["data"] == []
    assert guest("POST", "/org/v2/environments", environment_body("mine")).status_code == 403
    assert guest("DELETE", f"/org/v2/environments/{lab.environment}").status_code == 403
    assert guest("GET", f"/cmk/v2/clusters?environment={lab.environment}").status_code == 403


def test_environment_administrator(standin: Standin) -> None:
    """An environment administrator may build in it but make no account."""
    lab = build(standin)
    administrator.add_cloud_key(standin.state, "HERE", "secret", "u-here")
    bind(lab.cloud, "u-here", f"{standin.state.crn}/environment={lab.environment}")
    here = Caller(standin.url, ("HERE", "secret"))
    assert here.names("/org/v2/environments") == ["lab"]
    assert here("DELETE", f"/cmk/v2/clusters/{lab.cluster}?environment={lab.environment}").status_code == 204
    assert here("POST", "/iam/v2/service-accounts", {"display_name": "x"}).status_code == 403


def test_global_keys(standin: Standin) -> None:
    """A global key opens control plane and Flink but two are the limit."""
    lab = build(standin)
    world = {"id": "global"}
    key = new_key(lab.cloud, lab.account, world)
    new_key(lab.cloud, lab.account, world)
    assert Caller(lab.flink.base, key)("GET", "/statements").status_code == 200
    assert Caller(lab.kafka.base, key)("GET", lab.topics).status_code == 401
    body = {"spec": {"owner": {"id": lab.account}, "resource": world}}
    assert lab.cloud("POST", "/iam/v2/api-keys", body).status_code == 402


def test_keys_by_owner_and_resource(standin: Standin) -> None:
    """Keys are listed by owner and resource."""
    standin_fixtures.add_foreign_teams(standin.state)
    lab = build(standin)
    listed = as_administrator(standin).get(f"/iam/v2/api-keys?spec.owner={lab.account}")["data"]
    assert {key["id"] for key in listed} == {key for key, _ in lab.keys.values()}
    on_cluster = as_administrator(standin).get(f"/iam/v2/api-keys?spec.resource={lab.cluster}")["data"]
    assert [key["id"] for key in on_cluster] == [lab.keys["kafka"][0]]
