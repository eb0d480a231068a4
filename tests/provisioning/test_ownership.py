"""Whose is it: nothing of anybody else's is touched, whatever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.errors import NameTaken, ProvisioningError, Refused
from provisioning.mark import Mark, read_mark
from provisioning.standin import seed, strangers
from tests.provisioning.bench import NOTHING, Bench, wish
from tests.provisioning.colleagues import colleague

ENVIRONMENT, CLUSTER, POOL = "f1-leaderboard-env", "f1-leaderboard-cluster", "f1-leaderboard-flink-pool"


def test_an_organisation_full_of_strangers_is_left_as_it_is(person: Bench) -> None:
    state = person.standin.state
    seed.add_strangers(state)
    shared = seed.add_environment(state, "shared")
    seed.add_cluster(state, shared.id, CLUSTER)  # our names, in places of others
    pool = seed.add_pool(state, shared.id, POOL)
    seed.add_statement(state, pool, "f1-leaderboard-env-average-speed-query")
    seed.add_account(state, "f1-leaderboard-env")
    person.session()
    before, others = strangers(state), person.picture()
    person.provision()
    assert strangers(state) == before
    assert person.teardown() == []
    assert strangers(state) == before
    assert person.picture() == others


@pytest.mark.parametrize("kind", ["environment", "account"])
def test_a_name_of_somebody_else_stops_provision_and_is_left_by_teardown(person: Bench, kind: str) -> None:
    state = person.standin.state
    if kind == "environment":
        seed.add_environment(state, ENVIRONMENT)
    else:
        seed.add_account(state, f"{ENVIRONMENT}-lab")
    before = strangers(state)
    with pytest.raises(NameTaken, match="Name taken"):
        person.provision()
    assert not person.journal.exists()
    assert person.teardown() == []
    assert strangers(state) == before
    assert person.picture()["accounts"] == []


@pytest.mark.parametrize("add", [seed.add_cluster, seed.add_pool])
def test_a_cluster_or_pool_of_our_name_in_a_borrowed_environment_is_not_ours(
    person: Bench, add: object
) -> None:
    home = seed.add_environment(person.standin.state, "shared")
    add(person.standin.state, home.id, CLUSTER if add is seed.add_cluster else POOL)  # type: ignore[operator]
    before = strangers(person.standin.state)
    person.wanted = wish(environment_id=home.id)
    with pytest.raises(NameTaken):
        person.provision()
    person.teardown()
    assert strangers(person.standin.state) == before
    assert person.living_keys() == {}


def test_two_people_with_different_names_do_not_see_each_other(person: Bench, tmp_path: Path) -> None:
    second = colleague(person, tmp_path / "second", environment_name="group-b")
    person.provision()
    second.provision()
    keys = second.journalled_keys()
    assert person.provision().changes == second.provision().changes == []
    assert person.teardown() == []
    assert second.living_keys() == keys
    assert second.provision().changes == []
    assert second.teardown() == []
    assert person.picture() == NOTHING


def test_two_people_with_one_name_the_second_is_stopped(person: Bench, tmp_path: Path) -> None:
    person.provision()
    second, before = colleague(person, tmp_path / "second"), person.picture()
    with pytest.raises(NameTaken):
        second.provision()
    assert second.teardown() == []
    assert person.picture() == before
    assert second.questions == []


def test_one_checkout_can_hold_two_labs(person: Bench) -> None:
    person.provision()
    first = person.picture()
    person.wanted = wish(environment_name="another")
    person.provision()
    person.teardown()
    assert person.picture() == first
    person.wanted = wish()
    assert person.provision().changes == ["wrote " + str(person.config)]


def test_a_lab_known_by_its_mark_alone_leaves_the_block_of_the_one_in_the_journal(
    person: Bench, tmp_path: Path
) -> None:
    person.provision()
    mine = person.config.read_bytes()
    other = colleague(person, tmp_path / "other", environment_name="another")
    lost = other.provision().id("environment")
    person.wanted = wish(environment_name="another")
    assert person.teardown(lost) == []
    assert person.config.read_bytes() == mine


def test_the_block_of_a_cluster_that_stands_no_more_goes_too(person: Bench) -> None:
    """It was made anew, at another address, and the run ended before it came to config.yaml."""
    person.provision()
    text = person.config.read_text()
    person.config.write_text(text.replace("bootstrap.servers: 127.0.0.1:9", "bootstrap.servers: 127.0.0.1:8"))
    assert person.teardown() == []
    assert not person.config.exists()


def test_a_lost_journal_is_recovered_by_the_mark_after_a_question(person: Bench) -> None:
    person.provision()
    whole = person.picture()
    person.journal.unlink()
    person.provision()
    assert "Take it over?" in person.questions[0]
    assert person.picture() == whole
    assert person.journalled_keys() == person.living_keys()


def test_no_to_taking_over_leaves_it(person: Bench) -> None:
    person.provision()
    keys = person.living_keys()
    person.journal.unlink()
    person.answer = False
    with pytest.raises(Refused, match="Nothing was taken over, and nothing made"):
        person.provision()
    assert person.living_keys() == keys


@pytest.mark.parametrize("engine", ["flink", "embedded"])
def test_a_lost_laptop_tears_down_by_the_mark(person: Bench, engine: str) -> None:
    person.wanted = wish(engine=engine)
    person.provision()
    person.journal.unlink()
    assert person.teardown() == []
    assert person.picture() == NOTHING


def test_with_a_new_cloud_key_the_environments_id_is_needed(person: Bench, tmp_path: Path) -> None:
    identity = person.provision().id("environment")
    laptop = colleague(person, tmp_path / "new")
    assert laptop.teardown() == []
    assert person.picture() != NOTHING
    assert laptop.teardown(adopt=identity) == []
    assert person.picture() == NOTHING


def test_provision_takes_over_what_is_named_by_its_id(person: Bench, tmp_path: Path) -> None:
    identity = person.provision().id("environment")
    whole, laptop = person.picture(), colleague(person, tmp_path / "new")
    laptop.provision(adopt=identity)
    assert laptop.picture() == whole
    assert laptop.journalled_keys() == laptop.living_keys()
    assert laptop.provision().changes == []
    laptop.wanted = wish(environment_name="another")
    with pytest.raises(Refused, match="is no environment named another"):
        laptop.provision(adopt=identity)


def test_a_borrowed_environment_stays_and_only_ours_goes(person: Bench) -> None:
    state = person.standin.state
    home = seed.add_environment(state, "shared")
    kafka = seed.add_cluster(state, home.id, "theirs")
    seed.add_statement(state, seed.add_pool(state, home.id, "their-pool"), "their-query")
    seed.add_topic(state, kafka.id, "orders")
    person.session()
    seed.add_subject(state, home.id, "orders-value")
    before, others = strangers(state), person.picture()
    person.wanted = wish(environment_id=home.id)
    person.provision()
    assert "shared-lab" in person.picture()["accounts"]
    assert person.provision().changes == []
    assert person.teardown() == []
    assert strangers(state) == before
    assert person.picture() == others


def test_a_borrowed_environment_stays_without_a_journal_too(person: Bench) -> None:
    home = seed.add_environment(person.standin.state, "shared")
    person.wanted = wish(environment_id=home.id)
    person.provision()
    person.journal.unlink()
    person.wanted = wish()  # the configuration was lost as well
    assert person.teardown(adopt=home.id) == []
    assert home.deleted is None
    assert person.living_keys() == {}
    (note,) = person.notes
    assert (
        "These schemas stay, for nothing says that this lab made them: f1-car-metrics-anomalies-key" in note
    )


def test_a_schema_that_somebody_registered_in_the_borrowed_environment_is_not_overwritten(
    person: Bench,
) -> None:
    state = person.standin.state
    home = seed.add_environment(state, "shared")
    seed.add_cluster(state, home.id, "theirs")
    person.session()
    seed.add_subject(state, home.id, "f1-driver-positions-value")
    person.wanted = wish(environment_id=home.id)
    with pytest.raises(NameTaken, match="f1-driver-positions-value"):
        person.provision()


def test_an_environment_id_that_nobody_knows_is_said_so(person: Bench) -> None:
    person.wanted = wish(environment_id="env-nobody")
    with pytest.raises(ProvisioningError, match="env-nobody, which this Cloud API key cannot see"):
        person.provision()


def test_our_environment_stays_while_others_have_things_in_it(person: Bench) -> None:
    session = person.provision()
    state, identity = person.standin.state, session.id("environment")
    kafka = seed.add_cluster(state, identity, "somebody-elses")
    (left,) = person.teardown()
    assert "the environment f1-leaderboard-env" in left
    assert "the Kafka cluster somebody-elses" in left
    assert kafka.deleted is None
    assert person.picture()["accounts"] == []
    kafka.deleted = kafka.gone = person.hands.seconds
    assert person.teardown() == []
    assert person.picture() == NOTHING


@pytest.mark.parametrize("kind", ["topic", "schema", "statement", "connection"])
def test_a_strangers_thing_keeps_what_holds_it(person: Bench, kind: str) -> None:
    session = person.provision()
    state, identity = person.standin.state, session.id("environment")
    if kind == "topic":
        seed.add_topic(state, session.id("cluster"), "orders")
    elif kind == "schema":
        seed.add_subject(state, identity, "orders-value")
    elif kind == "statement":
        seed.add_statement(state, state.pools[session.id("pool")], "their-query")
    else:
        seed.add_connection(state, identity, "their-connection")
    before = strangers(state)
    left = person.teardown()
    assert any("the environment f1-leaderboard-env" in thing for thing in left)
    assert strangers(state) == before
    (environment,) = person.picture()["environments"].values()
    assert bool(environment["clusters"]) == (kind == "topic")
    assert bool(environment["pools"]) == (kind == "statement")
    assert [s for s in environment["statements"] if s[0].startswith("f1-")] == []


def test_without_the_account_others_things_are_still_seen(person: Bench) -> None:
    session = person.provision()
    session.cloud.delete(f"/iam/v2/service-accounts/{session.id('account')}")
    seed.add_topic(person.standin.state, session.id("cluster"), "orders")
    assert any("orders" in thing for thing in person.teardown())
    (environment,) = person.picture()["environments"].values()
    assert environment["clusters"]


def test_the_mark_survives_being_written_and_read() -> None:
    mark = Mark("0123456789ab", "env-1", borrowed=True, cluster="lkc-1", pool="lfcp-1")
    assert read_mark(mark.text()) == mark
    assert read_mark("created by hand") is None
    assert len(mark.text()) < 128
