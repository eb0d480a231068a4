"""What stands after provision_confluent, what a second run does, and changes of mind."""

from __future__ import annotations

import stat
from typing import Any

import pytest
import yaml

from provisioning import smoke_test
from provisioning.config import Aws
from provisioning.errors import Refused
from provisioning.plan import CHANGE, plan
from provisioning.resources import environment, subjects
from provisioning.smoke_test import librdkafka
from provisioning.standin import Exchange, Fault
from provisioning.status import current_state
from tests.fakes import openapi
from tests.fakes.in_process_session import Killed, kill
from tests.fakes.laptop import AWS, Laptop, desired_state

WRITES = ("POST", "PUT", "PATCH", "DELETE")
STORED = [("cleanup.policy", "delete"), ("retention.ms", "86400000")]
QUESTION = "Switching the analytics to"


def topics(laptop: Laptop) -> dict[str, int]:
    """Name -> partitions."""
    (found,) = laptop.snapshot()["environments"].values()
    return {name: partitions for name, partitions, _ in found["clusters"][0][3]}


def running(laptop: Laptop) -> list[str]:
    (found,) = laptop.snapshot()["environments"].values()
    return [name for name, phase, _ in found["statements"] if phase == "RUNNING"]


def writes_since(laptop: Laptop, calls: int) -> list[str]:
    return [str(call) for call in laptop.standin.calls[calls:] if call.method in WRITES]


def test_embedded_lab_has_all_its_topics(laptop: Laptop) -> None:
    """The embedded lab has all its topics with retention and schemas."""
    laptop.desired = desired_state(engine="embedded", aws=None)
    laptop.provision()
    (found,) = laptop.snapshot()["environments"].values()
    (cluster,) = found["clusters"]
    assert found["package"] == "ESSENTIALS"
    assert cluster[:3] == ("f1-leaderboard-cluster", "Basic", "us-east-2")
    assert len(cluster[3]) == 6
    assert all(configs == STORED for _, _, configs in cluster[3])
    assert len(found["subjects"]) == 8
    assert found["pools"] == [("f1-leaderboard-flink-pool", 5, "us-east-2")]
    assert found["statements"] == found["connections"] == []
    assert openapi.problems(laptop.standin.calls) == []


def test_schema_compatibility_levels(laptop: Laptop) -> None:
    """Value schemas may grow and key schemas stay."""
    laptop.desired = desired_state(engine="embedded")
    session = laptop.provision()
    registry = session.api("registry")
    assert registry.get("/config/f1-driver-positions-value")["compatibilityLevel"] == "BACKWARD"
    assert registry.get("/config/f1-driver-avg-speed-key")["compatibilityLevel"] == "FULL"


def test_without_anomalies_nothing_of_them(laptop: Laptop) -> None:
    """Nothing of the anomaly feature is made when it is off."""
    laptop.desired = desired_state(anomalies=False)
    laptop.provision()
    assert not [name for name in topics(laptop) if "metrics" in name]
    assert not [name for name in running(laptop) if "anomalies" in name]


def test_anomalies_switched_on_later(laptop: Laptop) -> None:
    """The feature switched on later adds just what it needs."""
    laptop.desired = desired_state(anomalies=False)
    laptop.provision()
    laptop.desired = desired_state(anomalies=True)
    session = laptop.provision()
    assert [change for change in session.changes if "wrote" not in change] == [
        "made the topic f1-car-metrics",
        "registered the schema f1-car-metrics-value (BACKWARD)",
        "started the statement f1-leaderboard-env-anomalies-table",
        "started the statement f1-leaderboard-env-anomalies-query",
    ]


@pytest.mark.parametrize("engine", ["flink", "embedded"])
def test_second_run_writes_nothing(laptop: Laptop, engine: str) -> None:
    """A second run writes nothing and takes less than a minute."""
    laptop.desired = desired_state(engine=engine)
    laptop.provision()
    calls, began, config = len(laptop.standin.calls), laptop.manual_clock.seconds, laptop.config.read_bytes()
    journal = laptop.journal.read_bytes()
    session = laptop.provision()
    assert session.changes == []
    assert writes_since(laptop, calls) == []
    assert laptop.manual_clock.seconds - began < 60
    assert (laptop.config.read_bytes(), laptop.journal.read_bytes()) == (config, journal)


def test_cluster_and_pool_come_side_by_side(laptop: Laptop) -> None:
    """Cluster and pool are ordered before either is waited for."""
    laptop.provision()
    calls = [f"{call.method} {call.path}" for call in laptop.standin.calls]
    ordered = calls.index("POST /fcpm/v2/compute-pools")
    cluster = laptop.session().id("cluster")
    assert calls.index("POST /cmk/v2/clusters") < ordered
    assert (
        ordered - calls.index(f"GET /cmk/v2/clusters/{cluster}") <= 2
    )  # its state is asked for once meanwhile


def test_secrets_are_journalled_at_once(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every secret is in the journal before the next call."""
    seen: list[bool] = []
    record = laptop.standin.record

    def look_first(*call: Any) -> Exchange:
        seen.append(laptop.journalled_keys() == laptop.living_keys())
        return record(*call)

    monkeypatch.setattr(laptop.standin, "record", look_first)
    laptop.provision()
    assert len(laptop.living_keys()) == 3
    assert all(seen)


def test_journal_and_config_are_private(laptop: Laptop) -> None:
    """Journal and config are for their owner only."""
    laptop.provision()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (laptop.journal, laptop.config)}
    assert modes == {0o600}


def test_config_names_kafka_without_scheme(laptop: Laptop) -> None:
    """Config yaml names the new Kafka without the scheme."""
    laptop.provision()
    written = yaml.safe_load(laptop.config.read_text())
    assert written["kafka"]["bootstrap.servers"] == "127.0.0.1:9"
    assert written["kafka"]["security.protocol"] == "PLAINTEXT"
    assert written["analytics"] == {"engine": "flink", "commentary": "flink"}
    key = written["kafka"]["schema_registry_api_key"]
    assert laptop.living_keys()[key] == written["kafka"]["schema_registry_secret"]


def test_real_endpoint_gets_sasl(laptop: Laptop) -> None:
    """A real endpoint gets sasl with the Kafka key."""
    session = laptop.provision()
    cluster = session.need("cluster")
    session.entry.put(
        "cluster", cluster | {"bootstrap": "SASL_SSL://pkc-1.us-east-2.aws.confluent.cloud:9092"}
    )
    key = session.key("kafka") or {}
    assert librdkafka(session) == {
        "bootstrap.servers": "pkc-1.us-east-2.aws.confluent.cloud:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": key["id"],
        "sasl.password": key["secret"],
    }


def test_smoke_test_says_what_it_waits_for(laptop: Laptop) -> None:
    """Nobody is at the bench's Kafka address: librdkafka's complaint is part of the progress."""
    waiting = smoke_test.produce(laptop.provision(), b"record")
    assert next(waiting).text.startswith("for Kafka to take a record")
    assert any("refused" in step.text for step in waiting)
    waiting.close()


def test_switching_engines_asks_first(laptop: Laptop) -> None:
    """Switching to Flink and back asks before it drops."""
    laptop.desired = desired_state(engine="embedded")
    laptop.provision()
    embedded = laptop.snapshot()
    laptop.desired = desired_state(engine="flink")
    laptop.provision()
    assert [q for q in laptop.questions if q.startswith(f"{QUESTION} Flink drops")]
    assert topics(laptop)["f1-driver-avg-speed"] == 1  # a table INTO 1 BUCKETS
    assert len(running(laptop)) == 3
    laptop.desired = desired_state(engine="embedded")
    laptop.provision()
    assert [q for q in laptop.questions if q.startswith(f"{QUESTION} the embedded engine drops")]
    assert laptop.snapshot() == embedded


@pytest.mark.parametrize("aws", [None, AWS])
@pytest.mark.parametrize("engine", ["flink", "embedded"])
def test_no_leaves_everything(laptop: Laptop, engine: str, aws: Aws | None) -> None:
    """No to the question leaves everything as it was."""
    laptop.desired = desired_state(engine="flink" if engine == "embedded" else "embedded")
    laptop.provision()
    before = (laptop.snapshot(), laptop.journal.read_bytes(), laptop.config.read_bytes())
    calls = len(laptop.standin.calls)
    laptop.desired, laptop.answer = desired_state(engine=engine, aws=aws), False
    with pytest.raises(Refused, match=r"Nothing was dropped; topics and config\.yaml stay as they were\.\n"):
        laptop.provision()
    assert writes_since(laptop, calls) == []
    assert (laptop.snapshot(), laptop.journal.read_bytes(), laptop.config.read_bytes()) == before


@pytest.mark.parametrize("keys", [None, Aws("ASIAEXPIREDKEYS", "secret-of-an-hour", "expired-token")])
def test_without_usable_aws_keys(laptop: Laptop, keys: Aws | None) -> None:
    """The commentary stays in the lab when there are no usable AWS keys."""
    laptop.desired = desired_state(aws=keys)
    session = laptop.provision()
    (found,) = laptop.snapshot()["environments"].values()
    assert found["connections"] == found["models"] == []
    assert running(laptop) == ["f1-leaderboard-env-anomalies-query", "f1-leaderboard-env-average-speed-query"]
    assert topics(laptop)["f1-commentary"] == 4  # the lab's own, no table
    assert yaml.safe_load(laptop.config.read_text())["analytics"]["commentary"] == "embedded"
    assert "embedded commentator writes the commentary" in " ".join(session.notes)


def test_later_aws_keys_bring_the_model(laptop: Laptop) -> None:
    """AWS keys that come later bring the model."""
    laptop.desired = desired_state(aws=None)
    laptop.provision()
    laptop.desired = desired_state(aws=AWS)
    laptop.provision()
    assert "f1-leaderboard-env-commentary-query" in running(laptop)
    (question,) = laptop.questions
    assert question.startswith(
        "Commentary by Flink's model drops f1-commentary with all records and makes it"
    )


def test_aws_keys_are_nowhere(laptop: Laptop) -> None:
    """The AWS keys are in no statement and not in the journal."""
    laptop.provision()
    statements = [str(s.sql) for s in laptop.standin.state.statements]
    assert AWS.secret_key not in "".join(statements) + laptop.journal.read_text() + laptop.config.read_text()


def test_renewed_aws_keys(laptop: Laptop) -> None:
    """Renewed AWS keys renew the connection only."""
    laptop.provision()
    laptop.desired = desired_state(aws=Aws("AKIANEWKEYNEWKEY", "another-secret-altogether"))
    session = laptop.session(by_name=True)
    subjects.delete(session, "f1-race-control-value")
    changes = [p.what for p in plan(session, current_state(session), with_model=True) if p.action == CHANGE]
    assert changes == ["topic f1-race-control", "connection to Amazon Bedrock and its model"]
    laptop.desired = desired_state()
    laptop.provision()
    laptop.desired = desired_state(aws=Aws("AKIANEWKEYNEWKEY", "another-secret-altogether"))
    assert laptop.provision().changes == ["renewed the AWS keys of the Bedrock connection"]


def test_pool_grows_only(laptop: Laptop) -> None:
    """A bigger pool is raised and a smaller one is left with a word."""
    laptop.provision()
    laptop.desired = desired_state(max_cfu=10)
    assert laptop.provision().changes == ["raised the Flink pool from 5 to 10 CFU"]
    laptop.desired = desired_state(max_cfu=5)
    session = laptop.provision()
    assert session.changes == []
    assert "never lower" in session.notes[0]


def test_another_region_is_refused(laptop: Laptop) -> None:
    """Another region is refused instead of built twice."""
    laptop.provision()
    laptop.desired = desired_state(region="us-west-2")
    with pytest.raises(Refused, match="stands in us-east-2"):
        laptop.provision()


def test_deleted_things_are_made_again(laptop: Laptop) -> None:
    """What somebody deleted is made again."""
    session = laptop.provision()
    whole = laptop.snapshot()
    session.cloud.delete(f"/cmk/v2/clusters/{session.id('cluster')}", environment=session.id("environment"))
    laptop.manual_clock.advance(60)
    laptop.provision()
    assert laptop.snapshot() == whole
    assert laptop.journalled_keys() == laptop.living_keys()


def test_deleted_environment_is_made_again(laptop: Laptop) -> None:
    """A deleted environment is made again with everything in it."""
    session = laptop.provision()
    whole = laptop.snapshot()
    session.cloud.delete(f"{environment.PATH}/{session.id('environment')}")
    laptop.manual_clock.advance(60)
    laptop.provision()
    assert laptop.snapshot() == whole


def test_pool_on_its_way_out(laptop: Laptop) -> None:
    """A pool that somebody deletes is waited for and made again."""
    session = laptop.provision()
    whole = laptop.snapshot()
    session.cloud.delete(
        f"/fcpm/v2/compute-pools/{session.id('pool')}", environment=session.id("environment")
    )
    laptop.provision()
    assert laptop.snapshot()["environments"]["f1-leaderboard-env"]["pools"] == [
        ("f1-leaderboard-flink-pool", 5, "us-east-2")
    ]
    assert len(running(laptop)) == 3
    assert laptop.snapshot() == whole


@pytest.mark.parametrize("path", ["/subjects", "/org/v2/environments/"])
def test_interrupted_teardown_comes_first(laptop: Laptop, path: str) -> None:
    """Half of it cannot be told from what stands: a table's schema is gone, its topic is not."""
    laptop.provision()
    whole = laptop.snapshot()
    laptop.standin.faults.add(Fault("hook_after", method="DELETE", path=path, hook=kill))
    with pytest.raises(Killed):
        laptop.teardown()
    with pytest.raises(Refused, match="has to end before it can be built again"):
        laptop.provision()
    assert laptop.teardown() == []
    laptop.provision()
    assert laptop.snapshot() == whole


def test_key_whose_secret_was_lost(laptop: Laptop) -> None:
    """A key whose secret was lost is deleted and made anew."""
    session = laptop.provision()
    lost = session.key("kafka") or {}
    keys = session.need("keys")
    session.entry.put("keys", {kind: key for kind, key in keys.items() if kind != "kafka"})
    laptop.provision()
    assert lost["id"] not in laptop.living_keys()
    assert laptop.journalled_keys() == laptop.living_keys()


def test_stopped_and_failed_queries(laptop: Laptop) -> None:
    """A stopped query is resumed and a failed one started anew."""
    laptop.provision()
    whole = laptop.snapshot()
    average, anomalies = [
        s for s in laptop.standin.state.statements if s.name.endswith(("speed-query", "lies-query"))
    ]
    average.phase, average.stopped, anomalies.phase = "STOPPED", True, "FAILED"
    laptop.provision()
    assert laptop.snapshot() == whole


def test_odd_environment_names(laptop: Laptop) -> None:
    """Long and odd environment names make valid names."""
    laptop.desired = desired_state(
        environment_name="Formula 1 Workshop — Über Group B, afternoon, second floor, left"
    )
    laptop.provision()
    names = [s.name for s in laptop.standin.state.statements]
    assert all(len(name) <= 72 and name.replace("-", "").isalnum() and name.isascii() for name in names)
    assert laptop.provision().changes == []


def test_no_leaves_the_connection(laptop: Laptop) -> None:
    """No to the question leaves the connection too."""
    laptop.provision()
    laptop.desired = desired_state(aws=Aws("ASIAEXPIREDKEYS", "secret-of-an-hour", "expired-token"))
    laptop.answer = False
    with pytest.raises(
        Refused, match="Before the question it renewed the AWS keys of the Bedrock connection"
    ):
        laptop.provision()
    assert "Commentary by the lab's own commentator drops f1-commentary" in laptop.questions[-1]
    (found,) = laptop.snapshot()["environments"].values()
    assert found["connections"]
    assert "f1-leaderboard-env-commentary-query" in running(laptop)
