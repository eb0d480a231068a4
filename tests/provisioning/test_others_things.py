"""What others have, where the lab could take it for its own: after a first teardown, by its name, or unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from provisioning.errors import ApiError, NameTaken, Refused
from provisioning.standin import Fault, seed, strangers
from provisioning.wanted import Aws
from races.streams.topics import TOPICS
from tests.provisioning import bench
from tests.provisioning.bench import NOTHING, Bench, wish
from tests.provisioning.colleagues import colleague
from tests.provisioning.nearby import Killed, Nearby, kill

OWNER = "cfltWeakSecretOfNoUseAtAll1234"


def put_a_strangers(kind: str, person: Bench) -> None:
    state, session = person.standin.state, person.session()
    identity = session.id("environment")
    if kind == "topic":
        seed.add_topic(state, session.id("cluster"), "orders")
    elif kind == "schema":
        seed.add_subject(state, identity, "orders-value")
    elif kind == "statement":
        seed.add_statement(state, state.pools[session.id("pool")], "their-query")
    else:
        seed.add_connection(state, identity, "their-connection")
    person.hands.turn(10)  # lists show what is new after a while


@pytest.mark.parametrize("kind", ["topic", "schema", "statement", "connection"])
def test_a_second_teardown_leaves_what_the_first_one_left(person: Bench, kind: str) -> None:
    person.provision()
    put_a_strangers(kind, person)
    before = strangers(person.standin.state)
    for _ in range(2):
        assert any("the environment f1-leaderboard-env" in thing for thing in person.teardown())
        assert strangers(person.standin.state) == before
        assert person.picture()["accounts"] == []
        assert person.living_keys() == {}


def test_a_lab_that_never_got_an_account_is_looked_into(person: Bench) -> None:
    person.standin.state.quotas["service_accounts"] = 0
    with pytest.raises(ApiError, match="quota"):
        person.provision()
    put_a_strangers("topic", person)
    before = strangers(person.standin.state)
    left = person.teardown()
    assert any("the Kafka cluster, because Kafka cannot be looked into: A quota" in thing for thing in left)
    assert strangers(person.standin.state) == before
    person.standin.state.quotas["service_accounts"] = 10
    assert any("the topic orders" in thing for thing in person.teardown())
    assert strangers(person.standin.state) == before
    person.standin.state.topics.clear()
    assert person.teardown() == []
    assert person.picture() == NOTHING


def test_a_service_that_takes_no_key_is_left_and_said_so(person: Bench) -> None:
    person.provision()
    person.hands.turn(60)
    person.standin.faults.add(Fault("503", path="/kafka/v3", times=9999))
    left = person.teardown()
    assert any("the Kafka cluster, because Kafka cannot be looked into" in thing for thing in left)
    (environment,) = person.picture()["environments"].values()
    assert environment["clusters"]
    assert environment["statements"] == []  # what costs has ended all the same
    person.standin.faults.clear()
    assert person.teardown() == []
    assert person.picture() == NOTHING


def test_a_topic_with_an_underscore_is_no_more_kafkas_own_than_another(person: Bench) -> None:
    seed.add_topic(person.standin.state, person.provision().id("cluster"), "_orders")
    before = strangers(person.standin.state)
    assert any("the topic _orders" in thing for thing in person.teardown())
    assert strangers(person.standin.state) == before


# -- an environment that is lent --


@pytest.mark.parametrize("names", [{}, {"cluster_name": "b-cluster", "pool_name": "b-pool"}])
def test_in_a_lent_environment_the_second_lab_leaves_the_first_one_alone(
    person: Bench, tmp_path: Path, names: dict[str, str]
) -> None:
    home = seed.add_environment(person.standin.state, "shared")
    person.wanted = wish(environment_id=home.id)
    person.provision()
    before, keys = person.picture(), person.living_keys()
    second = colleague(person, tmp_path / "second", environment_id=home.id, **names)
    with pytest.raises(NameTaken, match="one lab: another cluster or pool name changes nothing"):
        second.provision()
    assert second.teardown() == []
    assert (person.picture(), person.living_keys()) == (before, keys)
    assert person.provision().changes == []


def test_a_lent_environment_in_the_journal_claims_no_account(person: Bench, tmp_path: Path) -> None:
    """As a lab that was stopped half-way by the first one's names."""
    home = seed.add_environment(person.standin.state, "shared")
    person.wanted = wish(environment_id=home.id)
    session = person.provision()
    before = person.picture()
    second = colleague(person, tmp_path / "second", environment_id=home.id)
    entry = second.session().entry
    entry.put("environment", session.need("environment"))
    assert second.teardown() == []
    entry = second.session().entry
    entry.put("cluster", {"id": "lkc-of-the-second", "name": "b"})
    assert second.teardown() == []
    assert person.picture() == before


@pytest.mark.parametrize("engine", ["flink", "embedded"])
@pytest.mark.parametrize("aws", [None, bench.AWS])
def test_a_strangers_connection_of_our_name_is_neither_used_nor_deleted(
    person: Bench, engine: str, aws: Aws | None
) -> None:
    state = person.standin.state
    home = seed.add_environment(state, "shared")
    theirs = seed.add_connection(state, home.id, "shared-bedrock")
    person.wanted = wish(environment_id=home.id, engine=engine, aws=aws)
    secrets = dict(theirs.auth)
    if engine == "flink" and aws:
        with pytest.raises(NameTaken, match="the Flink connection shared-bedrock"):
            person.provision()
    else:
        assert person.provision().commentary_by_flink is False
    assert person.teardown() == []
    assert (theirs.deleted, theirs.auth) == (None, secrets)


def test_a_strangers_statement_of_our_name_is_not_deleted(person: Bench) -> None:
    state = person.standin.state
    home = seed.add_environment(state, "shared")
    theirs = seed.add_statement(state, seed.add_pool(state, home.id, "theirs"), "shared-average-speed-query")
    person.wanted = wish(environment_id=home.id)
    with pytest.raises(NameTaken, match="the Flink statement shared-average-speed-query"):
        person.provision()
    assert person.teardown() == []
    assert theirs.deleted is None


@pytest.mark.parametrize("engine", ["flink", "embedded"])
def test_derived_schemas_that_stood_before_stay(person: Bench, engine: str) -> None:
    state, topic = person.standin.state, TOPICS["avg_speed"]
    home = seed.add_environment(state, "shared")
    seed.add_cluster(state, home.id, "theirs")
    person.session()
    person.hands.turn(20)
    registry = next(state.live_in(state.registries.values(), home.id))
    for part, schema in (("value", topic.value_schema), ("key", topic.key_schema)):
        path = f"/subjects/{topic.name}-{part}/versions"
        state.subjects[registry.id].handle("POST", path, {}, {"schemaType": "AVRO", "schema": schema})
    before = state.subjects[registry.id].names(deleted=True)
    person.wanted = wish(environment_id=home.id, engine=engine)
    person.provision()
    assert len(state.subjects[registry.id].names(deleted=True)) > len(before)
    assert person.teardown() == []
    assert state.subjects[registry.id].names(deleted=True) == before


def test_a_connection_made_by_a_killed_command_is_taken_up_in_a_lent_environment(person: Bench) -> None:
    home = seed.add_environment(person.standin.state, "shared")
    person.wanted = wish(environment_id=home.id)
    person.standin.faults.add(Fault("hook_after", method="POST", path="/connections", hook=kill))
    with pytest.raises(Killed):
        person.provision()
    assert person.provision().commentary_by_flink
    person.journal.unlink()
    assert person.teardown(adopt=home.id) == []
    assert person.standin.state.alive(person.standin.state.connections) == []


# -- a key that may not --


def weak(person: Bench) -> None:
    seed.add_cloud_key(person.standin.state, "WEAKKEY", OWNER, "u-weak")
    person.key, person.secret = "WEAKKEY", OWNER


class Blind(Nearby):
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
def test_403_for_everything_forgets_nothing(person: Bench, act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    person.provision()
    journal, before = person.journal.read_bytes(), person.picture()
    monkeypatch.setattr(bench, "Nearby", Blind)
    with pytest.raises(ApiError, match="needs the role OrganizationAdmin"):
        getattr(person, act)()
    assert (person.journal.read_bytes(), person.picture()) == (journal, before)


def test_a_delete_that_is_not_allowed_is_an_error_at_once_and_not_a_wait(person: Bench) -> None:
    person.provision()
    person.hands.turn(60)
    began, key = person.hands.seconds, (person.key, person.secret)
    weak(person)
    with pytest.raises(ApiError, match="needs the role OrganizationAdmin"):
        person.teardown()
    assert person.hands.seconds - began < 120
    assert person.session().entry.get("account")
    person.key, person.secret = key
    assert person.teardown() == []
    assert person.picture() == NOTHING


# -- a take-over --


@pytest.mark.parametrize("call", range(1, 13))
def test_a_take_over_that_was_killed_is_taken_up(person: Bench, call: int) -> None:
    person.provision()
    whole = person.picture()
    person.hands.turn(60)
    person.journal.unlink()
    person.standin.faults.add(Fault("hook_before", at=len(person.standin.calls) + call, hook=kill))
    with pytest.raises(Killed):
        person.provision()
    person.provision()
    assert person.picture() == whole
    assert person.journalled_keys() == person.living_keys()


def test_yes_takes_nothing_over_without_the_environments_id(person: Bench) -> None:
    identity = person.provision().id("environment")
    keys = person.living_keys()
    person.journal.unlink()
    person.unattended = True
    with pytest.raises(Refused, match="There is no journal"):
        person.provision()
    assert person.living_keys() == keys
    person.provision(adopt=identity)
    assert person.journalled_keys() == person.living_keys()
