"""The stand-in's control plane: what its answers promise to the commands."""

from collections.abc import Iterator

import pytest

from provisioning.standin import CLOUD, Standin
from tests.fakes import openapi, standin_fixtures
from tests.fakes.api_caller import (
    Caller,
    ManualClock,
    as_administrator,
    bind,
    build,
    cluster_body,
    environment_body,
    key_body,
    made,
    pool_body,
)
from tests.fakes.standin_snapshot import foreign_things, snapshot


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(kafka=False) as found:
        yield found
    assert openapi.problems(found.calls) == []


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def slow(manual_clock: ManualClock) -> Iterator[Standin]:
    """One in which things take their time, by a clock that the test turns."""
    with Standin(CLOUD, clock=manual_clock, kafka=False) as found:
        yield found
    assert openapi.problems(found.calls) == []


def environment(cloud: Caller, name: str = "lab") -> str:
    return str(made(cloud("POST", "/org/v2/environments", environment_body(name)))["id"])


@openapi.needs_specifications
def test_exchanges_match_the_specifications(
    standin: Standin,
) -> None:
    """Every exchange of building and removing a lab matches the official specifications."""
    lab = build(standin)
    cloud = lab.cloud
    for path in (
        "/org/v2/environments",
        f"/cmk/v2/clusters?environment={lab.environment}",
        f"/fcpm/v2/compute-pools?environment={lab.environment}",
        "/iam/v2/service-accounts",
        f"/iam/v2/api-keys?spec.owner={lab.account}",
        f"/srcm/v3/clusters?environment={lab.environment}",
        f"/org/v2/environments/{lab.environment}",
        f"/iam/v2/service-accounts/{lab.account}",
        f"/iam/v2/api-keys/{lab.keys['kafka'][0]}",
    ):
        cloud.get(path)
    assert cloud("DELETE", f"/org/v2/environments/{lab.environment}").status_code == 204
    assert cloud("DELETE", f"/iam/v2/service-accounts/{lab.account}").status_code == 204
    assert len(standin.calls) > 20
    assert openapi.problems(standin.calls) == []


@openapi.needs_specifications
def test_validator_notices_wrong_fields(standin: Standin) -> None:
    """The validator notices an unknown field and a missing one."""
    cloud = as_administrator(standin)
    cloud("POST", "/org/v2/environments", {"display_name": "lab", "colour": "red"})
    cloud("POST", "/iam/v2/service-accounts", {"description": "without a name"})
    found = openapi.problems(standin.calls)
    standin.calls.clear()
    assert any("/colour is unknown" in problem for problem in found)
    assert any("'display_name' is a required property" in problem for problem in found)


def test_cluster_and_pool_take_their_time(slow: Standin, manual_clock: ManualClock) -> None:
    """Cluster and pool are provisioning until their time has come."""
    cloud = as_administrator(slow)
    place = environment(cloud)
    cluster = made(cloud("POST", "/cmk/v2/clusters", cluster_body(place)))
    pool = made(cloud("POST", "/fcpm/v2/compute-pools", pool_body(place)))
    assert (cluster["status"]["phase"], pool["status"]["phase"]) == ("PROVISIONING", "PROVISIONING")
    manual_clock.advance(CLOUD.cluster)
    assert (
        cloud.get(f"/cmk/v2/clusters/{cluster['id']}?environment={place}")["status"]["phase"] == "PROVISIONED"
    )
    assert (
        cloud.get(f"/fcpm/v2/compute-pools/{pool['id']}?environment={place}")["status"]["phase"]
        == "PROVISIONED"
    )


def test_registry_comes_after_a_cluster(slow: Standin, manual_clock: ManualClock) -> None:
    """A schema registry appears only after the first cluster."""
    cloud = as_administrator(slow)
    place = environment(cloud)
    address = f"/srcm/v3/clusters?environment={place}"
    manual_clock.advance(600)
    assert cloud.get(address)["data"] == []
    made(cloud("POST", "/cmk/v2/clusters", cluster_body(place)))
    manual_clock.advance(CLOUD.cluster)
    assert cloud.get(address)["data"] == []
    manual_clock.advance(CLOUD.registry)
    assert cloud.get(address)["data"][0]["status"]["phase"] == "PROVISIONING"
    manual_clock.advance(CLOUD.registry)
    assert cloud.get(address)["data"][0]["status"]["phase"] == "PROVISIONED"


def test_no_registry_without_a_package(standin: Standin) -> None:
    """No schema registry comes without a governance package."""
    cloud = as_administrator(standin)
    place = made(cloud("POST", "/org/v2/environments", {"display_name": "bare"}))["id"]
    made(cloud("POST", "/cmk/v2/clusters", cluster_body(place)))
    assert cloud.get(f"/srcm/v3/clusters?environment={place}")["data"] == []
    made(cloud("PATCH", f"/org/v2/environments/{place}", environment_body("bare")))
    assert len(cloud.get(f"/srcm/v3/clusters?environment={place}")["data"]) == 1


def test_next_page_is_a_full_address(standin: Standin) -> None:
    """A page names the next as a full address and only the first size counts."""
    standin_fixtures.add_foreign_teams(standin.state)
    cloud = as_administrator(standin)
    seen, address, pages = [], "/org/v2/environments?page_size=5", 0
    while address:
        page = cloud.get(address)
        seen += [item["id"] for item in page["data"]]
        pages += 1
        following = page["metadata"]["next"]
        assert following == "" or following.startswith(f"{standin.url}/org/v2/environments?")
        assert "page_size" not in following
        address = following.removeprefix(standin.url)
    assert pages == 3
    assert len(seen) == len(set(seen)) == standin_fixtures.FOREIGN_TEAMS


def test_ten_items_make_a_page(standin: Standin) -> None:
    """Ten items make a page unless asked."""
    standin_fixtures.add_foreign_teams(standin.state)
    assert len(as_administrator(standin).get("/org/v2/environments")["data"]) == 10


def test_lists_lag(slow: Standin, manual_clock: ManualClock) -> None:
    """Lists show new things late and deleted ones for too long."""
    cloud = as_administrator(slow)
    place = environment(cloud)
    assert cloud.names("/org/v2/environments") == []
    assert cloud.get(f"/org/v2/environments/{place}")["display_name"] == "lab"
    manual_clock.advance(CLOUD.listed)
    assert cloud.names("/org/v2/environments") == ["lab"]
    cloud("DELETE", f"/org/v2/environments/{place}")
    manual_clock.advance(CLOUD.environment_gone)
    assert cloud("GET", f"/org/v2/environments/{place}").status_code == 404
    assert cloud.names("/org/v2/environments") == ["lab"]
    manual_clock.advance(CLOUD.unlisted)
    assert cloud.names("/org/v2/environments") == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/org/v2/environments", environment_body("same")),
        ("/iam/v2/service-accounts", {"display_name": "same"}),
    ],
)
def test_display_names_are_unique(standin: Standin, path: str, body: dict[str, object]) -> None:
    """A display name of the organisation is taken once."""
    cloud = as_administrator(standin)
    first = made(cloud("POST", path, body))
    second = cloud("POST", path, body)
    assert second.status_code == 409
    assert second.headers["Location"].endswith(first["id"])
    assert second.json()["errors"][0]["code"] == "resource_already_exists"


def test_clusters_and_keys_share_names(standin: Standin) -> None:
    """Clusters and keys may share a name so that a blind retry makes two."""
    cloud = as_administrator(standin)
    place = environment(cloud)
    made(cloud("POST", "/cmk/v2/clusters", cluster_body(place)))
    made(cloud("POST", "/cmk/v2/clusters", cluster_body(place)))
    assert len(cloud.get(f"/cmk/v2/clusters?environment={place}")["data"]) == 2


def test_a_quota_that_is_reached_is_402(standin: Standin) -> None:
    standin.state.quotas["environments"] = 1
    cloud = as_administrator(standin)
    environment(cloud)
    refused = cloud("POST", "/org/v2/environments", environment_body("second"))
    assert refused.status_code == 402
    assert refused.json()["errors"][0]["code"] == "quota_exceeded"


@pytest.mark.parametrize("path", ["/cmk/v2/clusters", "/fcpm/v2/compute-pools", "/srcm/v3/clusters"])
def test_environment_query_is_required(standin: Standin, path: str) -> None:
    """The environment query is required."""
    assert as_administrator(standin)("GET", path).status_code == 400


def test_deleted_things_are_403_or_404(standin: Standin) -> None:
    """Deleted clusters pools keys and bindings are 403 and the rest 404."""
    lab = build(standin)
    cloud, place = lab.cloud, f"?environment={lab.environment}"
    crn = f"crn://confluent.cloud/organization={lab.organization}/environment={lab.environment}"
    binding = cloud.get(f"/iam/v2/role-bindings?crn_pattern={crn}")["data"][0]["id"]
    expected = {
        f"/iam/v2/api-keys/{lab.keys['kafka'][0]}": (204, 403),
        f"/iam/v2/role-bindings/{binding}": (200, 403),
        f"/fcpm/v2/compute-pools/{lab.pool}{place}": (204, 403),
        f"/cmk/v2/clusters/{lab.cluster}{place}": (204, 403),
        f"/org/v2/environments/{lab.environment}": (204, 404),
        f"/iam/v2/service-accounts/{lab.account}": (204, 404),
    }
    for path, (on_delete, after) in expected.items():
        assert cloud("DELETE", path).status_code == on_delete, path
        assert cloud("GET", path).status_code == after, path


def test_deleting_an_environment(standin: Standin) -> None:
    """Deleting an environment takes what is in it but no service account."""
    lab = build(standin)
    lab.topic("orders")
    lab.cloud("DELETE", f"/org/v2/environments/{lab.environment}")
    left = snapshot(standin.state)
    assert left == {"environments": {}, "accounts": ["lab"], "bindings": [], "keys": []}


def test_deleting_a_service_account(standin: Standin) -> None:
    """Deleting a service account takes its keys and roles."""
    lab = build(standin)
    lab.cloud("DELETE", f"/iam/v2/service-accounts/{lab.account}")
    left = snapshot(standin.state)
    assert (left["accounts"], left["bindings"], left["keys"]) == ([], [], [])


def test_protected_cluster(standin: Standin) -> None:
    """A protected cluster is deleted only after its protection is off."""
    cloud = as_administrator(standin)
    place = environment(cloud)
    cluster = made(cloud("POST", "/cmk/v2/clusters", cluster_body(place, deletion_protection=True)))["id"]
    address = f"/cmk/v2/clusters/{cluster}?environment={place}"
    assert cloud("DELETE", address).status_code == 409
    assert cloud("DELETE", f"/org/v2/environments/{place}").status_code == 409
    change = {"spec": {"deletion_protection": False, "environment": {"id": place}}}
    made(cloud("PATCH", f"/cmk/v2/clusters/{cluster}", change))
    assert cloud("DELETE", address).status_code == 204


def test_region_without_flink(standin: Standin) -> None:
    """A region without Flink is an empty list and no place for a pool."""
    cloud = as_administrator(standin)
    assert cloud.get("/fcpm/v2/regions?cloud=AWS&region_name=af-south-1")["data"] == []
    body = pool_body(environment(cloud))
    body["spec"]["region"] = "af-south-1"
    assert cloud("POST", "/fcpm/v2/compute-pools", body).status_code == 400


def test_secret_is_shown_once(standin: Standin) -> None:
    """The secret is in the answer to the post only."""
    lab = build(standin)
    key, secret = lab.keys["kafka"]
    assert secret.startswith("cflt")
    listed = lab.cloud("GET", f"/iam/v2/api-keys?spec.owner={lab.account}")
    assert key in listed.text
    assert secret not in listed.text
    assert secret not in lab.cloud("GET", f"/iam/v2/api-keys/{key}").text


def test_role_bindings_by_exact_scope(standin: Standin) -> None:
    """Role bindings are listed by their exact scope and exist once."""
    lab = build(standin)
    crn = f"crn://confluent.cloud/organization={lab.organization}/environment={lab.environment}"
    query = f"crn_pattern={crn}&principal=User:{lab.account}&role_name=EnvironmentAdmin"
    assert len(lab.cloud.get(f"/iam/v2/role-bindings?{query}")["data"]) == 1
    assert bind(lab.cloud, lab.account, crn).status_code == 409
    assert lab.cloud("GET", "/iam/v2/role-bindings").status_code == 400
    standin.calls.pop()  # the specification demands crn_pattern as well


def test_foreign_things_count_changes(standin: Standin) -> None:
    """Calls of foreign things are counted and nobody elses are."""
    standin_fixtures.add_foreign_teams(standin.state, environment="theirs")
    before = foreign_things(standin.state)
    build(standin)
    assert foreign_things(standin.state) == before
    assert list(snapshot(standin.state)["environments"]) == ["lab"]
    theirs = next(e.id for e in standin.state.environments.values() if e.name == "theirs")
    as_administrator(standin)("DELETE", f"/org/v2/environments/{theirs}")
    assert foreign_things(standin.state) != before


def test_request_ids_and_rate_limits(standin: Standin) -> None:
    """Every answer carries a request id and some their rate limit."""
    lab = build(standin)
    environments = lab.cloud("GET", "/org/v2/environments")
    keys = lab.cloud("GET", "/iam/v2/api-keys")
    assert environments.headers["X-Request-Id"] != keys.headers["X-Request-Id"]
    assert "X-RateLimit-Reset" in environments.headers
    assert "X-RateLimit-Reset" not in keys.headers


def test_unknown_addresses_and_broken_bodies(standin: Standin) -> None:
    """Unknown addresses and broken bodies are refused."""
    cloud = as_administrator(standin)
    assert cloud("GET", "/nothing/v1/here").status_code == 404
    assert cloud("DELETE", "/org/v2/environments").status_code == 405
    broken = cloud.session.post(f"{standin.url}/org/v2/environments", data="{", timeout=5)
    assert broken.status_code == 400
    assert cloud("POST", "/iam/v2/api-keys", key_body("sa-nobody", None)).status_code == 400
    del standin.calls[:]  # three of the four are nothing that a specification describes
