"""Whose is it: nothing of anybody else's is touched, whatever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.errors import NameTaken, ProvisioningError, Refused
from provisioning.ownership_tag import OwnershipTag, read_tag
from tests.fakes import standin_fixtures
from tests.fakes.laptop import NOTHING_STANDS, Laptop, colleague, desired_state
from tests.fakes.standin_snapshot import foreign_things

ENVIRONMENT, CLUSTER, POOL = "f1-leaderboard-env", "f1-leaderboard-cluster", "f1-leaderboard-flink-pool"


def test_full_organisation_is_left_alone(laptop: Laptop) -> None:
    """An organisation full of foreign is left as it is."""
    state = laptop.standin.state
    standin_fixtures.add_foreign_teams(state)
    shared = standin_fixtures.add_environment(state, "shared")
    standin_fixtures.add_cluster(state, shared.id, CLUSTER)  # our names, in places of others
    pool = standin_fixtures.add_pool(state, shared.id, POOL)
    standin_fixtures.add_statement(state, pool, "f1-leaderboard-env-average-speed-query")
    standin_fixtures.add_account(state, "f1-leaderboard-env")
    laptop.session()
    before, others = foreign_things(state), laptop.snapshot()
    laptop.provision()
    assert foreign_things(state) == before
    assert laptop.teardown() == []
    assert foreign_things(state) == before
    assert laptop.snapshot() == others


@pytest.mark.parametrize("kind", ["environment", "account"])
def test_taken_name_stops_provision(laptop: Laptop, kind: str) -> None:
    """A name of somebody else stops provision and is left by teardown."""
    state = laptop.standin.state
    if kind == "environment":
        standin_fixtures.add_environment(state, ENVIRONMENT)
    else:
        standin_fixtures.add_account(state, f"{ENVIRONMENT}-lab")
    before = foreign_things(state)
    with pytest.raises(NameTaken, match="Name taken"):
        laptop.provision()
    assert not laptop.journal.exists()
    assert laptop.teardown() == []
    assert foreign_things(state) == before
    assert laptop.snapshot()["accounts"] == []


@pytest.mark.parametrize("add", [standin_fixtures.add_cluster, standin_fixtures.add_pool])
def test_our_names_in_a_borrowed_environment(laptop: Laptop, add: object) -> None:
    """A cluster or pool of our name in a borrowed environment is not ours."""
    home = standin_fixtures.add_environment(laptop.standin.state, "shared")
    add(laptop.standin.state, home.id, CLUSTER if add is standin_fixtures.add_cluster else POOL)  # type: ignore[operator]
    before = foreign_things(laptop.standin.state)
    laptop.desired = desired_state(environment_id=home.id)
    with pytest.raises(NameTaken):
        laptop.provision()
    laptop.teardown()
    assert foreign_things(laptop.standin.state) == before
    assert laptop.living_keys() == {}


def test_two_people_with_two_names(laptop: Laptop, tmp_path: Path) -> None:
    """Two people with different names do not see each other."""
    second = colleague(laptop, tmp_path / "second", environment_name="group-b")
    laptop.provision()
    second.provision()
    keys = second.journalled_keys()
    assert laptop.provision().changes == second.provision().changes == []
    assert laptop.teardown() == []
    assert second.living_keys() == keys
    assert second.provision().changes == []
    assert second.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS


def test_two_people_with_one_name(laptop: Laptop, tmp_path: Path) -> None:
    """Two people with one name the second is stopped."""
    laptop.provision()
    second, before = colleague(laptop, tmp_path / "second"), laptop.snapshot()
    with pytest.raises(NameTaken):
        second.provision()
    assert second.teardown() == []
    assert laptop.snapshot() == before
    assert second.questions == []


def test_one_checkout_can_hold_two_labs(laptop: Laptop) -> None:
    laptop.provision()
    first = laptop.snapshot()
    laptop.desired = desired_state(environment_name="another")
    laptop.provision()
    laptop.teardown()
    assert laptop.snapshot() == first
    laptop.desired = desired_state()
    assert laptop.provision().changes == ["wrote " + str(laptop.config)]


def test_lab_known_by_its_tag_leaves_the_block(laptop: Laptop, tmp_path: Path) -> None:
    """A lab known by its ownership tag alone leaves the block of the one in the journal."""
    laptop.provision()
    mine = laptop.config.read_bytes()
    other = colleague(laptop, tmp_path / "other", environment_name="another")
    lost = other.provision().id("environment")
    laptop.desired = desired_state(environment_name="another")
    assert laptop.teardown(lost) == []
    assert laptop.config.read_bytes() == mine


def test_block_of_a_gone_cluster_goes(laptop: Laptop) -> None:
    """It was made anew, at another address, and the run ended before it came to config.yaml."""
    laptop.provision()
    text = laptop.config.read_text()
    laptop.config.write_text(text.replace("bootstrap.servers: 127.0.0.1:9", "bootstrap.servers: 127.0.0.1:8"))
    assert laptop.teardown() == []
    assert not laptop.config.exists()


def test_lost_journal_is_recovered_by_the_tag(laptop: Laptop) -> None:
    """A lost journal is recovered by the ownership tag after a question."""
    laptop.provision()
    whole = laptop.snapshot()
    laptop.journal.unlink()
    laptop.provision()
    assert "Take it over?" in laptop.questions[0]
    assert laptop.snapshot() == whole
    assert laptop.journalled_keys() == laptop.living_keys()


def test_no_to_taking_over_leaves_it(laptop: Laptop) -> None:
    laptop.provision()
    keys = laptop.living_keys()
    laptop.journal.unlink()
    laptop.answer = False
    with pytest.raises(Refused, match="Nothing was taken over, and nothing made"):
        laptop.provision()
    assert laptop.living_keys() == keys


@pytest.mark.parametrize("engine", ["flink", "embedded"])
def test_lost_laptop_tears_down_by_the_tag(laptop: Laptop, engine: str) -> None:
    """A lost laptop tears down by the ownership tag."""
    laptop.desired = desired_state(engine=engine)
    laptop.provision()
    laptop.journal.unlink()
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS


def test_new_cloud_key_needs_the_id(laptop: Laptop, tmp_path: Path) -> None:
    """The environment's id is needed with a new cloud key."""
    identity = laptop.provision().id("environment")
    other = colleague(laptop, tmp_path / "new")
    assert other.teardown() == []
    assert laptop.snapshot() != NOTHING_STANDS
    assert other.teardown(adopt=identity) == []
    assert laptop.snapshot() == NOTHING_STANDS


def test_take_over_by_id(laptop: Laptop, tmp_path: Path) -> None:
    """Provision takes over what is named by its id."""
    identity = laptop.provision().id("environment")
    whole, other = laptop.snapshot(), colleague(laptop, tmp_path / "new")
    other.provision(adopt=identity)
    assert other.snapshot() == whole
    assert other.journalled_keys() == other.living_keys()
    assert other.provision().changes == []
    other.desired = desired_state(environment_name="another")
    with pytest.raises(Refused, match="is no environment named another"):
        other.provision(adopt=identity)


def test_borrowed_environment_stays(laptop: Laptop) -> None:
    """A borrowed environment stays and only ours goes."""
    state = laptop.standin.state
    home = standin_fixtures.add_environment(state, "shared")
    kafka = standin_fixtures.add_cluster(state, home.id, "theirs")
    standin_fixtures.add_statement(
        state, standin_fixtures.add_pool(state, home.id, "their-pool"), "their-query"
    )
    standin_fixtures.add_topic(state, kafka.id, "orders")
    laptop.session()
    standin_fixtures.add_subject(state, home.id, "orders-value")
    before, others = foreign_things(state), laptop.snapshot()
    laptop.desired = desired_state(environment_id=home.id)
    laptop.provision()
    assert "shared-lab" in laptop.snapshot()["accounts"]
    assert laptop.provision().changes == []
    assert laptop.teardown() == []
    assert foreign_things(state) == before
    assert laptop.snapshot() == others


def test_borrowed_stays_without_a_journal(laptop: Laptop) -> None:
    """A borrowed environment stays without a journal too."""
    home = standin_fixtures.add_environment(laptop.standin.state, "shared")
    laptop.desired = desired_state(environment_id=home.id)
    laptop.provision()
    laptop.journal.unlink()
    laptop.desired = desired_state()  # the configuration was lost as well
    assert laptop.teardown(adopt=home.id) == []
    assert home.deleted is None
    assert laptop.living_keys() == {}
    (note,) = laptop.notes
    assert (
        "These schemas stay, for nothing says that this lab made them: f1-car-metrics-anomalies-key" in note
    )


def test_foreign_schema_is_not_overwritten(
    laptop: Laptop,
) -> None:
    """A schema that somebody registered in the borrowed environment is not overwritten."""
    state = laptop.standin.state
    home = standin_fixtures.add_environment(state, "shared")
    standin_fixtures.add_cluster(state, home.id, "theirs")
    laptop.session()
    standin_fixtures.add_subject(state, home.id, "f1-driver-positions-value")
    laptop.desired = desired_state(environment_id=home.id)
    with pytest.raises(NameTaken, match="f1-driver-positions-value"):
        laptop.provision()


def test_unknown_environment_id(laptop: Laptop) -> None:
    """An environment id that nobody knows is said so."""
    laptop.desired = desired_state(environment_id="env-nobody")
    with pytest.raises(ProvisioningError, match="env-nobody, which this Cloud API key cannot see"):
        laptop.provision()


def test_environment_with_foreign_things_stays(laptop: Laptop) -> None:
    """Our environment stays while others have things in it."""
    session = laptop.provision()
    state, identity = laptop.standin.state, session.id("environment")
    kafka = standin_fixtures.add_cluster(state, identity, "somebody-elses")
    left, account = laptop.teardown()
    assert "the environment f1-leaderboard-env" in left
    assert "the Kafka cluster somebody-elses" in left
    assert "the service account f1-leaderboard-env-lab" in account
    assert kafka.deleted is None
    kafka.deleted = kafka.gone = laptop.manual_clock.seconds
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS


@pytest.mark.parametrize("kind", ["topic", "schema", "statement", "connection"])
def test_foreign_thing_keeps_what_holds_it(laptop: Laptop, kind: str) -> None:
    """A foreign thing keeps what holds it."""
    session = laptop.provision()
    state, identity = laptop.standin.state, session.id("environment")
    if kind == "topic":
        standin_fixtures.add_topic(state, session.id("cluster"), "orders")
    elif kind == "schema":
        standin_fixtures.add_subject(state, identity, "orders-value")
    elif kind == "statement":
        standin_fixtures.add_statement(state, state.pools[session.id("pool")], "their-query")
    else:
        standin_fixtures.add_connection(state, identity, "their-connection")
    before = foreign_things(state)
    left = laptop.teardown()
    assert any("the environment f1-leaderboard-env" in thing for thing in left)
    assert foreign_things(state) == before
    (environment,) = laptop.snapshot()["environments"].values()
    assert bool(environment["clusters"]) == (kind == "topic")
    assert bool(environment["pools"]) == (kind == "statement")
    assert [s for s in environment["statements"] if s[0].startswith("f1-")] == []


def test_foreign_things_without_an_account(laptop: Laptop) -> None:
    """Foreign resources are still seen when the account is gone."""
    session = laptop.provision()
    session.cloud.delete(f"/iam/v2/service-accounts/{session.id('account')}")
    standin_fixtures.add_topic(laptop.standin.state, session.id("cluster"), "orders")
    assert any("orders" in thing for thing in laptop.teardown())
    (environment,) = laptop.snapshot()["environments"].values()
    assert environment["clusters"]


def test_tag_round_trip() -> None:
    """The ownership tag survives being written and read."""
    tag = OwnershipTag("0123456789ab", "env-1", borrowed=True, cluster="lkc-1", pool="lfcp-1")
    assert read_tag(tag.text()) == tag
    assert read_tag("created by hand") is None
    assert len(tag.text()) < 128
