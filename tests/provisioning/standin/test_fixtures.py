"""What other people have in the stand-in's organisation, for the commands to leave alone."""

from collections.abc import Iterator

import pytest

from provisioning.standin import Standin
from tests.fakes import openapi, standin_fixtures
from tests.fakes.api_caller import Lab, as_administrator, build
from tests.fakes.standin_snapshot import foreign_things, snapshot


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(kafka=False) as found:
        yield found
    assert openapi.problems(found.calls) == []


@pytest.fixture
def lab(standin: Standin) -> Lab:
    return build(standin)


def test_strangers_may_carry_our_names(standin: Standin) -> None:
    standin_fixtures.add_foreign_teams(standin.state, environment="lab", cluster="lab-cluster", account="lab")
    cloud = as_administrator(standin)
    listed = cloud.get("/org/v2/environments?page_size=100")["data"]
    home = next(item["id"] for item in listed if item["display_name"] == "lab")
    assert cloud.names(f"/cmk/v2/clusters?environment={home}") == ["lab-cluster"]
    assert cloud.names("/iam/v2/service-accounts?display_name=lab") == ["lab"]
    assert snapshot(standin.state)["environments"] == {}


def test_foreign_things_in_our_environment(standin: Standin, lab: Lab) -> None:
    """Things of others can lie in our environment."""
    state = standin.state
    ours = snapshot(state)
    standin_fixtures.add_cluster(state, lab.environment, "theirs")
    pool = standin_fixtures.add_pool(state, lab.environment, "theirs")
    standin_fixtures.add_statement(state, pool, "their-query")
    standin_fixtures.add_connection(state, lab.environment, "theirs")
    standin_fixtures.add_topic(state, lab.cluster, "their-orders")
    place = f"?environment={lab.environment}"
    assert set(lab.cloud.names(f"/cmk/v2/clusters{place}")) == {"lab-cluster", "theirs"}
    assert [t["topic_name"] for t in lab.kafka.get(lab.topics)["data"]] == ["their-orders"]
    assert [s["name"] for s in lab.flink.get("/statements")["data"]] == ["their-query"]
    assert snapshot(state) == ours
    assert len([r for r in foreign_things(state) if r["name"].startswith("their")]) == 5


def test_foreign_subject_in_our_registry(standin: Standin, lab: Lab) -> None:
    """A subject of others shows in our registry."""
    standin_fixtures.add_subject(standin.state, lab.environment, "their-orders-value")
    assert lab.registry.get("/subjects") == ["their-orders-value"]


def test_ours_in_a_borrowed_environment(standin: Standin) -> None:
    """What we make in a borrowed environment is in the picture."""
    borrowed = standin_fixtures.add_environment(standin.state, "borrowed")
    cloud = as_administrator(standin)
    assert snapshot(standin.state)["environments"] == {}
    body = {"display_name": "ours", "cloud": "AWS", "region": "us-east-2", "max_cfu": 5}
    cloud("POST", "/fcpm/v2/compute-pools", {"spec": body | {"environment": {"id": borrowed.id}}})
    assert snapshot(standin.state)["environments"]["borrowed"]["pools"] == [("ours", 5, "us-east-2")]
