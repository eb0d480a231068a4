"""What stands after provision_confluent, what a second run does, and changes of mind."""

from __future__ import annotations

import stat
from typing import Any

import pytest
import yaml

from provisioning import roundtrip
from provisioning.errors import Refused
from provisioning.plan import CHANGE, plan
from provisioning.resources import environment, subjects
from provisioning.roundtrip import librdkafka
from provisioning.standin import Exchange, Fault
from provisioning.survey import look
from provisioning.wanted import Aws
from tests.provisioning import openapi
from tests.provisioning.bench import AWS, Bench, wish
from tests.provisioning.nearby import Killed, kill

WRITES = ("POST", "PUT", "PATCH", "DELETE")
STORED = [("cleanup.policy", "delete"), ("retention.ms", "86400000")]
QUESTION = "Switching the analytics to"


def topics(person: Bench) -> dict[str, int]:
    """Name -> partitions."""
    (found,) = person.picture()["environments"].values()
    return {name: partitions for name, partitions, _ in found["clusters"][0][3]}


def running(person: Bench) -> list[str]:
    (found,) = person.picture()["environments"].values()
    return [name for name, phase, _ in found["statements"] if phase == "RUNNING"]


def writes_since(person: Bench, calls: int) -> list[str]:
    return [str(call) for call in person.standin.calls[calls:] if call.method in WRITES]


def test_the_embedded_lab_has_all_its_topics_with_retention_and_schemas(person: Bench) -> None:
    person.wanted = wish(engine="embedded", aws=None)
    person.provision()
    (found,) = person.picture()["environments"].values()
    (cluster,) = found["clusters"]
    assert found["package"] == "ESSENTIALS"
    assert cluster[:3] == ("f1-leaderboard-cluster", "Basic", "us-east-2")
    assert len(cluster[3]) == 6
    assert all(configs == STORED for _, _, configs in cluster[3])
    assert len(found["subjects"]) == 8
    assert found["pools"] == [("f1-leaderboard-flink-pool", 5, "us-east-2")]
    assert found["statements"] == found["connections"] == []
    assert openapi.problems(person.standin.calls) == []


def test_value_schemas_may_grow_and_key_schemas_stay(person: Bench) -> None:
    person.wanted = wish(engine="embedded")
    session = person.provision()
    registry = session.api("registry")
    assert registry.get("/config/f1-driver-positions-value")["compatibilityLevel"] == "BACKWARD"
    assert registry.get("/config/f1-driver-avg-speed-key")["compatibilityLevel"] == "FULL"


def test_without_the_anomaly_feature_nothing_of_it_is_made(person: Bench) -> None:
    person.wanted = wish(anomalies=False)
    person.provision()
    assert not [name for name in topics(person) if "metrics" in name]
    assert not [name for name in running(person) if "anomalies" in name]


def test_the_feature_switched_on_later_adds_just_what_it_needs(person: Bench) -> None:
    person.wanted = wish(anomalies=False)
    person.provision()
    person.wanted = wish(anomalies=True)
    session = person.provision()
    assert [change for change in session.changes if "wrote" not in change] == [
        "made the topic f1-car-metrics",
        "registered the schema f1-car-metrics-value (BACKWARD)",
        "started the statement f1-leaderboard-env-anomalies-table",
        "started the statement f1-leaderboard-env-anomalies-query",
    ]


@pytest.mark.parametrize("engine", ["flink", "embedded"])
def test_a_second_run_writes_nothing_and_takes_less_than_a_minute(person: Bench, engine: str) -> None:
    person.wanted = wish(engine=engine)
    person.provision()
    calls, began, config = len(person.standin.calls), person.hands.seconds, person.config.read_bytes()
    journal = person.journal.read_bytes()
    session = person.provision()
    assert session.changes == []
    assert writes_since(person, calls) == []
    assert person.hands.seconds - began < 60
    assert (person.config.read_bytes(), person.journal.read_bytes()) == (config, journal)


def test_cluster_and_pool_are_ordered_before_either_is_waited_for(person: Bench) -> None:
    person.provision()
    calls = [f"{call.method} {call.path}" for call in person.standin.calls]
    ordered = calls.index("POST /fcpm/v2/compute-pools")
    cluster = person.session().id("cluster")
    assert calls.index("POST /cmk/v2/clusters") < ordered
    assert (
        ordered - calls.index(f"GET /cmk/v2/clusters/{cluster}") <= 2
    )  # its state is asked for once meanwhile


def test_every_secret_is_in_the_journal_before_the_next_call(
    person: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    record = person.standin.record

    def look_first(*call: Any) -> Exchange:
        seen.append(person.journalled_keys() == person.living_keys())
        return record(*call)

    monkeypatch.setattr(person.standin, "record", look_first)
    person.provision()
    assert len(person.living_keys()) == 3
    assert all(seen)


def test_journal_and_config_are_for_their_owner_only(person: Bench) -> None:
    person.provision()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (person.journal, person.config)}
    assert modes == {0o600}


def test_config_yaml_names_the_new_kafka_without_the_scheme(person: Bench) -> None:
    person.provision()
    written = yaml.safe_load(person.config.read_text())
    assert written["kafka"]["bootstrap.servers"] == "127.0.0.1:9"
    assert written["kafka"]["security.protocol"] == "PLAINTEXT"
    assert written["analytics"] == {"engine": "flink", "commentary": "flink"}
    key = written["kafka"]["schema_registry_api_key"]
    assert person.living_keys()[key] == written["kafka"]["schema_registry_secret"]


def test_a_real_endpoint_gets_sasl_with_the_kafka_key(person: Bench) -> None:
    session = person.provision()
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


def test_the_check_tells_what_it_waits_for(person: Bench) -> None:
    """Nobody is at the bench's Kafka address: librdkafka's complaint is part of the progress."""
    waiting = roundtrip._produce(person.provision(), b"record")
    assert next(waiting).text.startswith("for Kafka to take a record")
    assert any("refused" in step.text for step in waiting)
    waiting.close()


def test_switching_to_flink_and_back_asks_before_it_drops(person: Bench) -> None:
    person.wanted = wish(engine="embedded")
    person.provision()
    embedded = person.picture()
    person.wanted = wish(engine="flink")
    person.provision()
    assert [q for q in person.questions if q.startswith(f"{QUESTION} Flink drops")]
    assert topics(person)["f1-driver-avg-speed"] == 1  # a table INTO 1 BUCKETS
    assert len(running(person)) == 3
    person.wanted = wish(engine="embedded")
    person.provision()
    assert [q for q in person.questions if q.startswith(f"{QUESTION} the embedded engine drops")]
    assert person.picture() == embedded


@pytest.mark.parametrize("aws", [None, AWS])
@pytest.mark.parametrize("engine", ["flink", "embedded"])
def test_no_to_the_question_leaves_everything_as_it_was(person: Bench, engine: str, aws: Aws | None) -> None:
    person.wanted = wish(engine="flink" if engine == "embedded" else "embedded")
    person.provision()
    before = (person.picture(), person.journal.read_bytes(), person.config.read_bytes())
    calls = len(person.standin.calls)
    person.wanted, person.answer = wish(engine=engine, aws=aws), False
    with pytest.raises(Refused, match=r"Nothing was dropped; topics and config\.yaml stay as they were\.\n"):
        person.provision()
    assert writes_since(person, calls) == []
    assert (person.picture(), person.journal.read_bytes(), person.config.read_bytes()) == before


@pytest.mark.parametrize("keys", [None, Aws("ASIAEXPIREDKEYS", "secret-of-an-hour", "expired-token")])
def test_without_usable_aws_keys_the_commentary_stays_in_the_lab(person: Bench, keys: Aws | None) -> None:
    person.wanted = wish(aws=keys)
    session = person.provision()
    (found,) = person.picture()["environments"].values()
    assert found["connections"] == found["models"] == []
    assert running(person) == ["f1-leaderboard-env-anomalies-query", "f1-leaderboard-env-average-speed-query"]
    assert topics(person)["f1-commentary"] == 4  # the lab's own, no table
    assert yaml.safe_load(person.config.read_text())["analytics"]["commentary"] == "embedded"
    assert "embedded commentator writes the commentary" in " ".join(session.notes)


def test_aws_keys_that_come_later_bring_the_model(person: Bench) -> None:
    person.wanted = wish(aws=None)
    person.provision()
    person.wanted = wish(aws=AWS)
    person.provision()
    assert "f1-leaderboard-env-commentary-query" in running(person)
    (question,) = person.questions
    assert question.startswith(
        "Commentary by Flink's model drops f1-commentary with all records and makes it"
    )


def test_the_aws_keys_are_in_no_statement_and_not_in_the_journal(person: Bench) -> None:
    person.provision()
    statements = [str(s.sql) for s in person.standin.state.statements]
    assert AWS.secret_key not in "".join(statements) + person.journal.read_text() + person.config.read_text()


def test_renewed_aws_keys_renew_the_connection_only(person: Bench) -> None:
    person.provision()
    person.wanted = wish(aws=Aws("AKIANEWKEYNEWKEY", "another-secret-altogether"))
    session = person.session(by_name=True)
    subjects.delete(session, "f1-race-control-value")
    changes = [p.what for p in plan(session, look(session), with_model=True) if p.action == CHANGE]
    assert changes == ["topic f1-race-control", "connection to Amazon Bedrock and its model"]
    person.wanted = wish()
    person.provision()
    person.wanted = wish(aws=Aws("AKIANEWKEYNEWKEY", "another-secret-altogether"))
    assert person.provision().changes == ["renewed the AWS keys of the Bedrock connection"]


def test_a_bigger_pool_is_raised_and_a_smaller_one_is_left_with_a_word(person: Bench) -> None:
    person.provision()
    person.wanted = wish(max_cfu=10)
    assert person.provision().changes == ["raised the Flink pool from 5 to 10 CFU"]
    person.wanted = wish(max_cfu=5)
    session = person.provision()
    assert session.changes == []
    assert "never lower" in session.notes[0]


def test_another_region_is_refused_instead_of_built_twice(person: Bench) -> None:
    person.provision()
    person.wanted = wish(region="us-west-2")
    with pytest.raises(Refused, match="stands in us-east-2"):
        person.provision()


def test_what_somebody_deleted_is_made_again(person: Bench) -> None:
    session = person.provision()
    whole = person.picture()
    session.cloud.delete(f"/cmk/v2/clusters/{session.id('cluster')}", environment=session.id("environment"))
    person.hands.turn(60)
    person.provision()
    assert person.picture() == whole
    assert person.journalled_keys() == person.living_keys()


def test_a_deleted_environment_is_made_again_with_everything_in_it(person: Bench) -> None:
    session = person.provision()
    whole = person.picture()
    session.cloud.delete(f"{environment.PATH}/{session.id('environment')}")
    person.hands.turn(60)
    person.provision()
    assert person.picture() == whole


def test_a_pool_that_somebody_deletes_is_waited_for_and_made_again(person: Bench) -> None:
    session = person.provision()
    whole = person.picture()
    session.cloud.delete(
        f"/fcpm/v2/compute-pools/{session.id('pool')}", environment=session.id("environment")
    )
    person.provision()
    assert person.picture()["environments"]["f1-leaderboard-env"]["pools"] == [
        ("f1-leaderboard-flink-pool", 5, "us-east-2")
    ]
    assert len(running(person)) == 3
    assert person.picture() == whole


@pytest.mark.parametrize("path", ["/subjects", "/org/v2/environments/"])
def test_a_teardown_that_was_interrupted_has_to_end_first(person: Bench, path: str) -> None:
    """Half of it cannot be told from what stands: a table's schema is gone, its topic is not."""
    person.provision()
    whole = person.picture()
    person.standin.faults.add(Fault("hook_after", method="DELETE", path=path, hook=kill))
    with pytest.raises(Killed):
        person.teardown()
    with pytest.raises(Refused, match="has to end before it can be built again"):
        person.provision()
    assert person.teardown() == []
    person.provision()
    assert person.picture() == whole


def test_a_key_whose_secret_was_lost_is_deleted_and_made_anew(person: Bench) -> None:
    session = person.provision()
    lost = session.key("kafka") or {}
    keys = session.need("keys")
    session.entry.put("keys", {kind: key for kind, key in keys.items() if kind != "kafka"})
    person.provision()
    assert lost["id"] not in person.living_keys()
    assert person.journalled_keys() == person.living_keys()


def test_a_stopped_query_is_resumed_and_a_failed_one_started_anew(person: Bench) -> None:
    person.provision()
    whole = person.picture()
    average, anomalies = [
        s for s in person.standin.state.statements if s.name.endswith(("speed-query", "lies-query"))
    ]
    average.phase, average.stopped, anomalies.phase = "STOPPED", True, "FAILED"
    person.provision()
    assert person.picture() == whole


def test_long_and_odd_environment_names_make_valid_names(person: Bench) -> None:
    person.wanted = wish(environment_name="Formula 1 Workshop — Über Group B, afternoon, second floor, left")
    person.provision()
    names = [s.name for s in person.standin.state.statements]
    assert all(len(name) <= 72 and name.replace("-", "").isalnum() and name.isascii() for name in names)
    assert person.provision().changes == []


def test_no_to_the_question_leaves_the_connection_too(person: Bench) -> None:
    person.provision()
    person.wanted = wish(aws=Aws("ASIAEXPIREDKEYS", "secret-of-an-hour", "expired-token"))
    person.answer = False
    with pytest.raises(
        Refused, match="Before the question it renewed the AWS keys of the Bedrock connection"
    ):
        person.provision()
    assert "Commentary by the lab's own commentator drops f1-commentary" in person.questions[-1]
    (found,) = person.picture()["environments"].values()
    assert found["connections"]
    assert "f1-leaderboard-env-commentary-query" in running(person)
