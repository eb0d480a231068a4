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


def test_the_embedded_lab_has_all_its_topics_with_retention_and_schemas(laptop: Laptop) -> None:
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


def test_value_schemas_may_grow_and_key_schemas_stay(laptop: Laptop) -> None:
    laptop.desired = desired_state(engine="embedded")
    session = laptop.provision()
    registry = session.api("registry")
    assert registry.get("/config/f1-driver-positions-value")["compatibilityLevel"] == "BACKWARD"
    assert registry.get("/config/f1-driver-avg-speed-key")["compatibilityLevel"] == "FULL"


def test_without_the_anomaly_feature_nothing_of_it_is_made(laptop: Laptop) -> None:
    laptop.desired = desired_state(anomalies=False)
    laptop.provision()
    assert not [name for name in topics(laptop) if "metrics" in name]
    assert not [name for name in running(laptop) if "anomalies" in name]


def test_the_feature_switched_on_later_adds_just_what_it_needs(laptop: Laptop) -> None:
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
def test_a_second_run_writes_nothing_and_takes_less_than_a_minute(laptop: Laptop, engine: str) -> None:
    laptop.desired = desired_state(engine=engine)
    laptop.provision()
    calls, began, config = len(laptop.standin.calls), laptop.manual_clock.seconds, laptop.config.read_bytes()
    journal = laptop.journal.read_bytes()
    session = laptop.provision()
    assert session.changes == []
    assert writes_since(laptop, calls) == []
    assert laptop.manual_clock.seconds - began < 60
    assert (laptop.config.read_bytes(), laptop.journal.read_bytes()) == (config, journal)


def test_cluster_and_pool_are_ordered_before_either_is_waited_for(laptop: Laptop) -> None:
    laptop.provision()
    calls = [f"{call.method} {call.path}" for call in laptop.standin.calls]
    ordered = calls.index("POST /fcpm/v2/compute-pools")
    cluster = laptop.session().id("cluster")
    assert calls.index("POST /cmk/v2/clusters") < ordered
    assert (
        ordered - calls.index(f"GET /cmk/v2/clusters/{cluster}") <= 2
    )  # its state is asked for once meanwhile


def test_every_secret_is_in_the_journal_before_the_next_call(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    record = laptop.standin.record

    def look_first(*call: Any) -> Exchange:
        seen.append(laptop.journalled_keys() == laptop.living_keys())
        return record(*call)

    monkeypatch.setattr(laptop.standin, "record", look_first)
    laptop.provision()
    assert len(laptop.living_keys()) == 3
    assert all(seen)


def test_journal_and_config_are_for_their_owner_only(laptop: Laptop) -> None:
    laptop.provision()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (laptop.journal, laptop.config)}
    assert modes == {0o600}


def test_config_yaml_names_the_new_kafka_without_the_scheme(laptop: Laptop) -> None:
    laptop.provision()
    written = yaml.safe_load(laptop.config.read_text())
    assert written["kafka"]["bootstrap.servers"] == "127.0.0.1:9"
    assert written["kafka"]["security.protocol"] == "PLAINTEXT"
    assert written["analytics"] == {"engine": "flink", "commentary": "flink"}
    key = written["kafka"]["schema_registry_api_key"]
    assert laptop.living_keys()[key] == written["kafka"]["schema_registry_secret"]


def test_a_real_endpoint_gets_sasl_with_the_kafka_key(laptop: Laptop) -> None:
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


def test_the_check_tells_what_it_waits_for(laptop: Laptop) -> None:
    """Nobody is at the bench's Kafka address: librdkafka's complaint is part of the progress."""
    waiting = smoke_test._produce(laptop.provision(), b"record")
    assert next(waiting).text.startswith("for Kafka to take a record")
    assert any("refused" in step.text for step in waiting)
    waiting.close()


def test_switching_to_flink_and_back_asks_before_it_drops(laptop: Laptop) -> None:
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
def test_no_to_the_question_leaves_everything_as_it_was(laptop: Laptop, engine: str, aws: Aws | None) -> None:
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
def test_without_usable_aws_keys_the_commentary_stays_in_the_lab(laptop: Laptop, keys: Aws | None) -> None:
    laptop.desired = desired_state(aws=keys)
    session = laptop.provision()
    (found,) = laptop.snapshot()["environments"].values()
    assert found["connections"] == found["models"] == []
    assert running(laptop) == ["f1-leaderboard-env-anomalies-query", "f1-leaderboard-env-average-speed-query"]
    assert topics(laptop)["f1-commentary"] == 4  # the lab's own, no table
    assert yaml.safe_load(laptop.config.read_text())["analytics"]["commentary"] == "embedded"
    assert "embedded commentator writes the commentary" in " ".join(session.notes)


def test_aws_keys_that_come_later_bring_the_model(laptop: Laptop) -> None:
    laptop.desired = desired_state(aws=None)
    laptop.provision()
    laptop.desired = desired_state(aws=AWS)
    laptop.provision()
    assert "f1-leaderboard-env-commentary-query" in running(laptop)
    (question,) = laptop.questions
    assert question.startswith(
        "Commentary by Flink's model drops f1-commentary with all records and makes it"
    )


def test_the_aws_keys_are_in_no_statement_and_not_in_the_journal(laptop: Laptop) -> None:
    laptop.provision()
    statements = [str(s.sql) for s in laptop.standin.state.statements]
    assert AWS.secret_key not in "".join(statements) + laptop.journal.read_text() + laptop.config.read_text()


def test_renewed_aws_keys_renew_the_connection_only(laptop: Laptop) -> None:
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


def test_a_bigger_pool_is_raised_and_a_smaller_one_is_left_with_a_word(laptop: Laptop) -> None:
    laptop.provision()
    laptop.desired = desired_state(max_cfu=10)
    assert laptop.provision().changes == ["raised the Flink pool from 5 to 10 CFU"]
    laptop.desired = desired_state(max_cfu=5)
    session = laptop.provision()
    assert session.changes == []
    assert "never lower" in session.notes[0]


def test_another_region_is_refused_instead_of_built_twice(laptop: Laptop) -> None:
    laptop.provision()
    laptop.desired = desired_state(region="us-west-2")
    with pytest.raises(Refused, match="stands in us-east-2"):
        laptop.provision()


def test_what_somebody_deleted_is_made_again(laptop: Laptop) -> None:
    session = laptop.provision()
    whole = laptop.snapshot()
    session.cloud.delete(f"/cmk/v2/clusters/{session.id('cluster')}", environment=session.id("environment"))
    laptop.manual_clock.advance(60)
    laptop.provision()
    assert laptop.snapshot() == whole
    assert laptop.journalled_keys() == laptop.living_keys()


def test_a_deleted_environment_is_made_again_with_everything_in_it(laptop: Laptop) -> None:
    session = laptop.provision()
    whole = laptop.snapshot()
    session.cloud.delete(f"{environment.PATH}/{session.id('environment')}")
    laptop.manual_clock.advance(60)
    laptop.provision()
    assert laptop.snapshot() == whole


def test_a_pool_that_somebody_deletes_is_waited_for_and_made_again(laptop: Laptop) -> None:
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
def test_a_teardown_that_was_interrupted_has_to_end_first(laptop: Laptop, path: str) -> None:
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


def test_a_key_whose_secret_was_lost_is_deleted_and_made_anew(laptop: Laptop) -> None:
    session = laptop.provision()
    lost = session.key("kafka") or {}
    keys = session.need("keys")
    session.entry.put("keys", {kind: key for kind, key in keys.items() if kind != "kafka"})
    laptop.provision()
    assert lost["id"] not in laptop.living_keys()
    assert laptop.journalled_keys() == laptop.living_keys()


def test_a_stopped_query_is_resumed_and_a_failed_one_started_anew(laptop: Laptop) -> None:
    laptop.provision()
    whole = laptop.snapshot()
    average, anomalies = [
        s for s in laptop.standin.state.statements if s.name.endswith(("speed-query", "lies-query"))
    ]
    average.phase, average.stopped, anomalies.phase = "STOPPED", True, "FAILED"
    laptop.provision()
    assert laptop.snapshot() == whole


def test_long_and_odd_environment_names_make_valid_names(laptop: Laptop) -> None:
    laptop.desired = desired_state(
        environment_name="Formula 1 Workshop — Über Group B, afternoon, second floor, left"
    )
    laptop.provision()
    names = [s.name for s in laptop.standin.state.statements]
    assert all(len(name) <= 72 and name.replace("-", "").isalnum() and name.isascii() for name in names)
    assert laptop.provision().changes == []


def test_no_to_the_question_leaves_the_connection_too(laptop: Laptop) -> None:
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
