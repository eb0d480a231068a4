"""What others have, where the lab could take it for its own: after a first teardown, by its name, or unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from provisioning.config import Aws
from provisioning.errors import ApiError, NameTaken, Refused
from provisioning.standin import Fault, administrator
from races.streams.topics import TOPICS
from tests.fakes import standin_fixtures
from tests.fakes.in_process_session import InProcessSession, Killed, kill
from tests.fakes.laptop import AWS, NOTHING_STANDS, Laptop, colleague, desired_state
from tests.fakes.standin_snapshot import foreign_things

OWNER = "cfltWeakSecretOfNoUseAtAll1234"


def add_foreign(kind: str, laptop: Laptop) -> None:
    state, session = laptop.standin.state, laptop.session()
    identity = session.id("environment")
    if kind == "topic":
        standin_fixtures.add_topic(state, session.id("cluster"), "orders")
    elif kind == "schema":
        standin_fixtures.add_subject(state, identity, "orders-value")
    elif kind == "statement":
        standin_fixtures.add_statement(state, state.pools[session.id("pool")], "their-query")
    else:
        standin_fixtures.add_connection(state, identity, "their-connection")
    laptop.manual_clock.advance(10)  # lists show what is new after a while


@pytest.mark.parametrize("kind", ["topic", "schema", "statement", "connection"])
def test_second_teardown_leaves_the_same(laptop: Laptop, kind: str) -> None:
    """A second teardown leaves what the first one left."""
    laptop.provision()
    add_foreign(kind, laptop)
    before = foreign_things(laptop.standin.state)
    keys = laptop.living_keys()
    for _ in range(2):
        assert any("the environment f1-leaderboard-env" in thing for thing in laptop.teardown())
        assert foreign_things(laptop.standin.state) == before
        assert laptop.snapshot()["accounts"] == ["f1-leaderboard-env-lab"]
        assert set(laptop.living_keys()) <= set(keys)  # nothing new is made only to look


def test_lab_without_an_account(laptop: Laptop) -> None:
    """A lab that never got an account is looked into."""
    laptop.standin.state.quotas["service_accounts"] = 0
    with pytest.raises(ApiError, match="quota"):
        laptop.provision()
    add_foreign("topic", laptop)
    before = foreign_things(laptop.standin.state)
    left = laptop.teardown()
    assert any("the Kafka cluster, because Kafka cannot be looked into: A quota" in thing for thing in left)
    assert foreign_things(laptop.standin.state) == before
    laptop.standin.state.quotas["service_accounts"] = 10
    assert any("the topic orders" in thing for thing in laptop.teardown())
    assert foreign_things(laptop.standin.state) == before
    laptop.standin.state.topics.clear()
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS


def test_service_that_takes_no_key(laptop: Laptop) -> None:
    """A service that takes no key is left and said so."""
    laptop.provision()
    laptop.manual_clock.advance(60)
    laptop.standin.faults.add(Fault("503", path="/kafka/v3", times=9999))
    left = laptop.teardown()
    assert any("the Kafka cluster, because Kafka cannot be looked into" in thing for thing in left)
    (environment,) = laptop.snapshot()["environments"].values()
    assert environment["clusters"]
    assert environment["statements"] == []  # what costs has ended all the same
    laptop.standin.faults.clear()
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS


def test_topic_with_an_underscore(laptop: Laptop) -> None:
    """A topic with an underscore is no more Kafkas own than another."""
    standin_fixtures.add_topic(laptop.standin.state, laptop.provision().id("cluster"), "_orders")
    before = foreign_things(laptop.standin.state)
    assert any("the topic _orders" in thing for thing in laptop.teardown())
    assert foreign_things(laptop.standin.state) == before


# -- an environment that is lent --


@pytest.mark.parametrize("names", [{}, {"cluster_name": "b-cluster", "pool_name": "b-pool"}])
def test_two_labs_in_a_lent_environment(laptop: Laptop, tmp_path: Path, names: dict[str, str]) -> None:
    """The second lab in a lent environment leaves the first one alone."""
    home = standin_fixtures.add_environment(laptop.standin.state, "shared")
    laptop.desired = desired_state(environment_id=home.id)
    laptop.provision()
    before, keys = laptop.snapshot(), laptop.living_keys()
    second = colleague(laptop, tmp_path / "second", environment_id=home.id, **names)
    with pytest.raises(NameTaken, match="one lab: another cluster or pool name changes nothing"):
        second.provision()
    assert second.teardown() == []
    assert (laptop.snapshot(), laptop.living_keys()) == (before, keys)
    assert laptop.provision().changes == []


def test_lent_environment_claims_no_account(laptop: Laptop, tmp_path: Path) -> None:
    """A lab that was stopped half-way by the first one's names claims no account."""
    home = standin_fixtures.add_environment(laptop.standin.state, "shared")
    laptop.desired = desired_state(environment_id=home.id)
    session = laptop.provision()
    before = laptop.snapshot()
    second = colleague(laptop, tmp_path / "second", environment_id=home.id)
    entry = second.session().entry
    entry.put("environment", session.need("environment"))
    assert second.teardown() == []
    entry = second.session().entry
    entry.put("cluster", {"id": "lkc-of-the-second", "name": "b"})
    assert second.teardown() == []
    assert laptop.snapshot() == before


@pytest.mark.parametrize("engine", ["flink", "embedded"])
@pytest.mark.parametrize("aws", [None, AWS])
def test_foreign_connection_of_our_name(laptop: Laptop, engine: str, aws: Aws | None) -> None:
    """A foreign connection of our name is neither used nor deleted."""
    state = laptop.standin.state
    home = standin_fixtures.add_environment(state, "shared")
    theirs = standin_fixtures.add_connection(state, home.id, "shared-bedrock")
    laptop.desired = desired_state(environment_id=home.id, engine=engine, aws=aws)
    secrets = dict(theirs.auth)
    if engine == "flink" and aws:
        with pytest.raises(NameTaken, match="the Flink connection shared-bedrock"):
            laptop.provision()
    else:
        assert laptop.provision().commentary_by_flink is False
    assert laptop.teardown() == []
    assert (theirs.deleted, theirs.auth) == (None, secrets)


def test_foreign_statement_of_our_name(laptop: Laptop) -> None:
    """A foreign statement of our name is not deleted."""
    state = laptop.standin.state
    home = standin_fixtures.add_environment(state, "shared")
    theirs = standin_fixtures.add_statement(
        state, standin_fixtures.add_pool(state, home.id, "theirs"), "shared-average-speed-query"
    )
    laptop.desired = desired_state(environment_id=home.id)
    with pytest.raises(NameTaken, match="the Flink statement shared-average-speed-query"):
        laptop.provision()
    assert laptop.teardown() == []
    assert theirs.deleted is None


@pytest.mark.parametrize("engine", ["flink", "embedded"])
def test_earlier_derived_schemas_stay(laptop: Laptop, engine: str) -> None:
    """Derived schemas that stood before stay."""
    state, topic = laptop.standin.state, TOPICS["avg_speed"]
    home = standin_fixtures.add_environment(state, "shared")
    standin_fixtures.add_cluster(state, home.id, "theirs")
    laptop.session()
    laptop.manual_clock.advance(20)
    registry = next(state.live_in(state.registries.values(), home.id))
    for part, schema in (("value", topic.value_schema), ("key", topic.key_schema)):
        path = f"/subjects/{topic.name}-{part}/versions"
        state.subjects[registry.id].handle("POST", path, {}, {"schemaType": "AVRO", "schema": schema})
    before = state.subjects[registry.id].names(deleted=True)
    laptop.desired = desired_state(environment_id=home.id, engine=engine)
    laptop.provision()
    assert len(state.subjects[registry.id].names(deleted=True)) > len(before)
    assert laptop.teardown() == []
    assert state.subjects[registry.id].names(deleted=True) == before


def test_connection_of_a_killed_command(laptop: Laptop) -> None:
    """A connection made by a killed command is taken up in a lent environment."""
    home = standin_fixtures.add_environment(laptop.standin.state, "shared")
    laptop.desired = desired_state(environment_id=home.id)
    laptop.standin.faults.add(Fault("hook_after", method="POST", path="/connections", hook=kill))
    with pytest.raises(Killed):
        laptop.provision()
    assert laptop.provision().commentary_by_flink
    laptop.journal.unlink()
    assert laptop.teardown(adopt=home.id) == []
    assert laptop.standin.state.alive(laptop.standin.state.connections) == []


# -- a key that may not --


def weak(laptop: Laptop) -> None:
    administrator.add_cloud_key(laptop.standin.state, "WEAKKEY", OWNER, "u-weak")
    laptop.key, laptop.secret = "WEAKKEY", OWNER


class Blind(InProcessSession):
    """As a service may answer a key without a role: 403 for what is there, and lists without it."""

    def request(self, method: str, url: str, **given: Any) -> requests.Response:  # type: ignore[override]
        answer = super().request(method, url, **given)
        hidden = (
            method == "GET"
            and "/regions" not in url
            and any(f"/{api}/" in url for api in ("cmk", "fcpm", "iam", "srcm", "org"))
        )
        if hidden and "/organizations" not in url:
            listed = "data" in answer.json()
            answer.status_code = 200 if listed else 403
            refused = b'{"errors":[{"status":"403","code":"forbidden_access","detail":"Forbidden Access"}]}'
            answer._content = b'{"data":[],"metadata":{}}' if listed else refused
        return answer


@pytest.mark.parametrize("act", ["provision", "teardown"])
def test_403_for_everything_forgets_nothing(
    laptop: Laptop, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """403 for everything forgets nothing."""
    laptop.provision()
    journal, before = laptop.journal.read_bytes(), laptop.snapshot()
    monkeypatch.setattr("tests.fakes.laptop.InProcessSession", Blind)
    with pytest.raises(ApiError, match="needs the role OrganizationAdmin"):
        getattr(laptop, act)()
    assert (laptop.journal.read_bytes(), laptop.snapshot()) == (journal, before)


def test_forbidden_delete_fails_at_once(laptop: Laptop) -> None:
    """A delete that is not allowed is an error at once and not a wait."""
    laptop.provision()
    laptop.manual_clock.advance(60)
    began, key = laptop.manual_clock.seconds, (laptop.key, laptop.secret)
    weak(laptop)
    with pytest.raises(ApiError, match="needs the role OrganizationAdmin"):
        laptop.teardown()
    assert laptop.manual_clock.seconds - began < 120
    assert laptop.session().entry.get("account")
    laptop.key, laptop.secret = key
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS


# -- a take-over --


@pytest.mark.parametrize("call", range(1, 13))
def test_killed_take_over_is_taken_up(laptop: Laptop, call: int) -> None:
    """A take over that was killed is taken up."""
    laptop.provision()
    whole = laptop.snapshot()
    laptop.manual_clock.advance(60)
    laptop.journal.unlink()
    laptop.standin.faults.add(Fault("hook_before", at=len(laptop.standin.calls) + call, hook=kill))
    with pytest.raises(Killed):
        laptop.provision()
    laptop.provision()
    assert laptop.snapshot() == whole
    assert laptop.journalled_keys() == laptop.living_keys()


def test_yes_alone_takes_nothing_over(laptop: Laptop) -> None:
    """Yes takes nothing over without the environment's id."""
    identity = laptop.provision().id("environment")
    keys = laptop.living_keys()
    laptop.journal.unlink()
    laptop.unattended = True
    with pytest.raises(Refused, match="There is no journal"):
        laptop.provision()
    assert laptop.living_keys() == keys
    laptop.provision(adopt=identity)
    assert laptop.journalled_keys() == laptop.living_keys()
