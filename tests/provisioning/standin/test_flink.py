"""Flink on the stand-in: statements live through their phases and make tables; connections keep their secrets."""

import json
from collections.abc import Iterator

import pytest

from provisioning.standin import CLOUD, Latencies, Standin
from tests.fakes import openapi
from tests.fakes.api_caller import Lab, ManualClock, build, made, pool_body

AVERAGE = (
    "CREATE TABLE IF NOT EXISTS `averages` (driver_name STRING, race_id STRING, avg_speed DOUBLE, "
    "PRIMARY KEY (driver_name, race_id) NOT ENFORCED) DISTRIBUTED BY HASH(driver_name, race_id) INTO 4 BUCKETS "
    "WITH ('changelog.mode' = 'upsert', 'kafka.retention.time' = '1 d')"
)
INSERT = "INSERT INTO `averages` SELECT driver_name, race_id, AVG(speed) FROM `orders` GROUP BY driver_name, race_id"
STOP = [{"op": "replace", "path": "/spec/stopped", "value": True}]
PATCH = "application/json-patch+json"
BEDROCK = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "cfltTopSecret"}


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(kafka=False) as found:
        yield found
    assert openapi.problems(found.calls) == []


@pytest.fixture
def lab(standin: Standin) -> Lab:
    found = build(standin)
    made(found.topic("orders"))
    return found


def connection(secrets: dict[str, str], name: str = "bedrock") -> dict[str, object]:
    auth = {"kind": "PlaintextProvider", "data": json.dumps(secrets)}
    endpoint = "https://bedrock-runtime.us-east-1.amazonaws.com/model/a-model/invoke"
    return {"name": name, "spec": {"connection_type": "BEDROCK", "endpoint": endpoint, "auth_data": auth}}


# Tables


def test_create_table_makes_topic_and_subjects(lab: Lab) -> None:
    """Create table makes a topic with its buckets and the subjects of key and value."""
    assert lab.run("make", AVERAGE)[0] == "COMPLETED"
    topic = lab.kafka.get(f"{lab.topics}/averages")
    assert topic["partitions_count"] == 4
    configs = {c["name"]: c["value"] for c in lab.kafka.get(f"{lab.topics}/averages/configs")["data"]}
    assert (configs["retention.ms"], configs["cleanup.policy"]) == ("86400000", "delete")
    assert lab.registry.get("/subjects") == ["averages-key", "averages-value"]
    key = json.loads(lab.registry.get("/subjects/averages-key/versions/latest")["schema"])
    value = json.loads(lab.registry.get("/subjects/averages-value/versions/latest")["schema"])
    assert [(f["name"], f["type"]) for f in key["fields"]] == [
        ("driver_name", "string"),
        ("race_id", "string"),
    ]
    assert [(f["name"], f["type"]) for f in value["fields"]] == [("avg_speed", ["null", "double"])]


def test_json_table_gets_a_json_schema(lab: Lab) -> None:
    """A table of json gets a json schema."""
    sql = "CREATE TABLE words (id STRING, `at` BIGINT NOT NULL) WITH ('value.format'='json-registry')"
    assert lab.run("make", sql)[0] == "COMPLETED"
    found = lab.registry.get("/subjects/words-value/versions/latest")
    assert found["schemaType"] == "JSON"
    assert list(json.loads(found["schema"])["properties"]) == ["id", "at"]


def test_create_table_twice(lab: Lab) -> None:
    """Create table a second time fails unless told if not exists."""
    lab.run("one", AVERAGE)
    assert lab.run("two", AVERAGE)[0] == "COMPLETED"
    phase, detail = lab.run("three", AVERAGE.replace("IF NOT EXISTS ", ""))
    assert (phase, "already exists" in detail) == ("FAILED", True)


def test_drop_table_deletes_softly(lab: Lab) -> None:
    """Drop table deletes the topic and leaves its subjects softly deleted."""
    lab.run("make", AVERAGE)
    assert lab.run("drop", "DROP TABLE `averages`")[0] == "COMPLETED"
    assert lab.kafka("GET", f"{lab.topics}/averages").status_code == 404
    assert lab.registry.get("/subjects") == []
    assert lab.registry.get("/subjects?deleted=true") == ["averages-key", "averages-value"]
    assert lab.run("again", "DROP TABLE `averages`")[0] == "FAILED"
    assert lab.run("lenient", "DROP TABLE IF EXISTS `averages`")[0] == "COMPLETED"


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("CREATE TABLE t (x INT) WITH ('kafka.partitions'='4')", "not supported anymore"),
        ("CREATE TABLE t (x INT) WITH ('value.format'='json')", "Unsupported format"),
        ("CREATE TABLE t (x INT) WITH ('retention'='1 d')", "Unsupported options"),
        ("CREATE TABLE t (x INT, PRIMARY KEY (x))", "NOT ENFORCED"),
        ("CREATE TABLE t (x INT) WITH ('changelog.mode'='upsert')", "PRIMARY KEY"),
        ("INSERT INTO `orders` SELECT * FROM `nothing`", "'nothing' does not exist"),
        ("INSERT INTO `nothing` SELECT * FROM `orders`", "'nothing' does not exist"),
        (
            "INSERT INTO `orders` SELECT a, AVG(b) FROM `orders` GROUP BY a",
            "doesn't support consuming update",
        ),
        ("SET 'sql.state-ttl' = '24 h'", "SET is not supported"),
        ("SELECT 1; SELECT 2", "single SQL statement"),
        ("DROP TABLE nothing", "'nothing' does not exist"),
        (
            "CREATE MODEL m WITH ('provider'='bedrock','task'='t','bedrock.connection'='c')",
            "'c' does not exist",
        ),
        ("INSERT INTO `orders` SELECT r FROM `orders`, LATERAL TABLE(AI_COMPLETE('m', v)) AS r", "Model 'm'"),
        ("FROBNICATE", "parse failed"),
    ],
)
def test_faulty_sql_fails_and_says_why(lab: Lab, sql: str, says: str) -> None:
    phase, detail = lab.run("faulty", sql)
    assert phase == "FAILED"
    assert says in detail
    assert lab.flink.get("/statements/faulty/exceptions")["data"][0]["message"] == detail


def test_catalog_and_database_by_name_or_id(lab: Lab) -> None:
    """Catalog and database go by name or id and must exist."""
    by_id = {"sql.current-catalog": lab.environment, "sql.current-database": lab.cluster}
    assert lab.run("by-id", AVERAGE, **by_id)[0] == "COMPLETED"
    assert "cannot be found" in lab.run("wrong", AVERAGE, **{"sql.current-database": "other"})[1]


def test_dry_run_changes_nothing(lab: Lab) -> None:
    """A dry run checks and changes nothing."""
    assert lab.run("dry", AVERAGE, **{"sql.dry-run": "true"})[0] == "COMPLETED"
    assert lab.kafka("GET", f"{lab.topics}/averages").status_code == 404
    assert lab.run("dry-insert", INSERT, **{"sql.dry-run": "true"})[0] == "FAILED"


# Life cycle


def test_statement_lifecycle() -> None:
    """A statement is pending first then runs stops and is deleted in its time."""
    manual_clock = ManualClock()
    latencies = Latencies(statement=CLOUD.statement, stop=5, statement_gone=1)
    with Standin(latencies, clock=manual_clock, kafka=False) as standin:
        lab = build(standin)
        lab.topic("orders")
        lab.statement("table", AVERAGE)
        manual_clock.advance(CLOUD.statement)
        assert made(lab.statement("query", INSERT))["status"]["phase"] == "PENDING"
        assert lab.status("query")[0] == "PENDING"
        manual_clock.advance(CLOUD.statement)
        assert lab.status("query")[0] == "RUNNING"
        made(lab.flink("PATCH", "/statements/query", STOP, content_type=PATCH))
        assert lab.status("query")[0] == "STOPPING"
        manual_clock.advance(5)
        assert lab.status("query")[0] == "STOPPED"
        assert lab.flink("DELETE", "/statements/query").status_code == 202
        assert lab.status("query")[0] == "DELETING"
        manual_clock.advance(1)
        assert "does not exist" in lab.flink("GET", "/statements/query").json()["errors"][0]["detail"]
        assert openapi.problems(standin.calls) == []


def test_statement_names_are_unique(lab: Lab) -> None:
    """A name is unique in the environment until its statement is gone."""
    lab.run("one", "SHOW TABLES")
    assert lab.statement("one", "SHOW TABLES").status_code == 409
    lab.flink("DELETE", "/statements/one")
    assert lab.statement("one", "SHOW TABLES").status_code == 201


@pytest.mark.parametrize("name", ["Upper", "under_score", "a" * 73, "-dash", "do.t"])
def test_statement_name_characters(standin: Standin, lab: Lab, name: str) -> None:
    """Names are lower case letters digits and dashes."""
    assert lab.statement(name, "SHOW TABLES").status_code == 400
    standin.calls.pop()


def test_put_needs_the_current_version(lab: Lab) -> None:
    """Put needs the version that stands."""
    lab.run("table", AVERAGE)
    lab.run("query", INSERT)
    seen = lab.flink.get("/statements/query")
    seen["spec"]["stopped"] = True
    assert lab.flink("PUT", "/statements/query", seen).status_code == 202
    assert lab.status("query")[0] == "STOPPED"
    assert lab.flink("PUT", "/statements/query", seen).status_code == 409


def test_patch_needs_its_content_type(standin: Standin, lab: Lab) -> None:
    """Patch needs its own content type."""
    lab.run("query", "SELECT * FROM `orders`")
    assert lab.flink("PATCH", "/statements/query", STOP).status_code == 415
    standin.calls.pop()


def test_only_inserts_can_be_resumed(lab: Lab) -> None:
    """A stopped insert can be resumed and a select cannot."""
    lab.run("table", AVERAGE)
    lab.run("query", INSERT)
    lab.run("select", "SELECT * FROM `orders`")
    go = [{"op": "replace", "path": "/spec/stopped", "value": False}]
    for name in ("query", "select"):
        made(lab.flink("PATCH", f"/statements/{name}", STOP, content_type=PATCH))
        assert lab.status(name)[0] == "STOPPED"
    assert lab.flink("PATCH", "/statements/select", go, content_type=PATCH).status_code == 400
    made(lab.flink("PATCH", "/statements/query", go, content_type=PATCH))
    assert lab.status("query")[0] == "RUNNING"


def test_statements_by_label_and_pool(lab: Lab) -> None:
    """Statements are listed by label and pool."""
    lab.run("one", "SHOW TABLES")
    assert [
        s["name"] for s in lab.flink.get("/statements?label_selector=user.confluent.io/lab=true")["data"]
    ] == ["one"]
    assert lab.flink.get("/statements?label_selector=user.confluent.io/lab=false")["data"] == []
    assert len(lab.flink.get(f"/statements?spec.compute_pool_id={lab.pool}")["data"]) == 1
    assert lab.flink.get("/statements?spec.compute_pool_id=lfcp-other")["data"] == []


def test_full_pool_lets_a_query_wait(lab: Lab) -> None:
    """A full pool lets a query wait until another stops."""
    lab.run("table", AVERAGE)
    for number in range(5):
        assert lab.run(f"query-{number}", INSERT)[0] == "RUNNING"
    assert lab.run("one-more", INSERT)[0] == "PENDING"
    waiting = lab.flink.get("/statements/one-more")["status"]
    assert waiting["scaling_status"]["scaling_state"] == "POOL_EXHAUSTED"
    pool = lab.cloud.get(f"/fcpm/v2/compute-pools/{lab.pool}?environment={lab.environment}")
    assert pool["status"]["current_cfu"] == 5
    lab.flink("DELETE", "/statements/query-0")
    assert lab.status("one-more")[0] == "RUNNING"


def test_a_statement_set_counts_as_one(lab: Lab) -> None:
    lab.run("table", AVERAGE)
    both = f"EXECUTE STATEMENT SET BEGIN {INSERT}; {INSERT}; END;"
    assert lab.run("both", both) == ("RUNNING", "")


def test_dropped_table_degrades_its_query(lab: Lab) -> None:
    """A dropped table degrades what runs on it."""
    lab.run("table", AVERAGE)
    lab.run("query", INSERT)
    lab.run("drop", "DROP TABLE averages")
    assert lab.status("query")[0] == "DEGRADED"


def test_statement_needs_a_ready_pool(lab: Lab) -> None:
    """A statement needs a pool that is ready."""
    lab.cloud("DELETE", f"/fcpm/v2/compute-pools/{lab.pool}?environment={lab.environment}")
    answer = lab.statement("late", "SHOW TABLES")
    assert answer.status_code == 400
    assert "not found" in answer.json()["errors"][0]["detail"]


def test_a_pool_grows_and_never_shrinks(lab: Lab) -> None:
    address = f"/fcpm/v2/compute-pools/{lab.pool}"
    body = pool_body(lab.environment, 10)
    body["spec"] = {"max_cfu": 10, "environment": {"id": lab.environment}}
    assert made(lab.cloud("PATCH", address, body))["spec"]["max_cfu"] == 10
    body["spec"]["max_cfu"] = 5
    assert lab.cloud("PATCH", address, body).status_code == 422


# Connections and models


def test_connection_secrets_never_come_out(standin: Standin, lab: Lab) -> None:
    """A connection's secrets go in and never come out."""
    answer = lab.flink("POST", "/connections", connection(BEDROCK))
    assert made(answer)["status"]["phase"] == ""
    for text in (
        answer.text,
        lab.flink("GET", "/connections").text,
        lab.flink("GET", "/connections/bedrock").text,
    ):
        assert "<REDACTED>" in text
        assert "cfltTopSecret" not in text
    assert all("cfltTopSecret" not in exchange.printout() for exchange in standin.calls)


def test_expired_session_token(lab: Lab) -> None:
    """An expired session token is invalid auth until it is replaced."""
    expired = connection({**BEDROCK, "AWS_SESSION_TOKEN": "expired-token"})
    assert made(lab.flink("POST", "/connections", expired))["status"]["phase"] == "INVALID_AUTH"
    fresh = connection({**BEDROCK, "AWS_SESSION_TOKEN": "fresh"}) | {"metadata": {"resource_version": "1"}}
    assert lab.flink("PUT", "/connections/bedrock", fresh).status_code == 200
    assert lab.flink.get("/connections/bedrock")["status"]["phase"] == ""


def test_connection_needs_its_secrets(lab: Lab) -> None:
    """A connection needs its secrets and exists once."""
    assert lab.flink("POST", "/connections", connection({"AWS_ACCESS_KEY_ID": "x"})).status_code == 422
    made(lab.flink("POST", "/connections", connection(BEDROCK)))
    assert lab.flink("POST", "/connections", connection(BEDROCK)).status_code == 409
    assert lab.flink("DELETE", "/connections/bedrock").status_code == 200
    assert lab.flink("GET", "/connections/bedrock").status_code == 404


def test_what_terraform_sends_is_enough(lab: Lab) -> None:
    """Neither Terraform nor the CLI sends metadata with a statement or a connection, when it renews the keys either."""
    statement = {
        "name": "terraforms",
        "organization_id": lab.organization,
        "environment_id": lab.environment,
        "spec": {
            "statement": AVERAGE,
            "properties": {"sql.current-catalog": "lab", "sql.current-database": "lab-cluster"},
            "compute_pool_id": lab.pool,
            "principal": lab.account,
        },
    }
    made(lab.flink("POST", "/statements", statement))
    made(lab.flink("POST", "/connections", connection(BEDROCK)))
    assert lab.flink("PUT", "/connections/bedrock", connection(BEDROCK)).status_code == 200


def test_model_stands_on_a_connection(lab: Lab) -> None:
    """A model stands on a connection made either way."""
    sql = (
        "CREATE CONNECTION IF NOT EXISTS `bedrock` WITH ('type'='bedrock','endpoint'='https://x.example',"
        "'aws-access-key'='a','aws-secret-key'='b')"
    )
    assert lab.run("connect", sql)[0] == "COMPLETED"
    model = (
        "CREATE MODEL IF NOT EXISTS m INPUT (question STRING) OUTPUT (answer STRING) "
        "WITH ('provider'='bedrock', 'task'='text_generation', 'bedrock.connection'='bedrock')"
    )
    assert lab.run("model", model)[0] == "COMPLETED"
    ask = "INSERT INTO `orders` SELECT answer FROM `orders`, LATERAL TABLE(AI_COMPLETE('m', v)) AS r(answer)"
    assert lab.run("ask", ask)[0] == "RUNNING"
    assert lab.run("drop", "DROP MODEL m")[0] == "COMPLETED"
    assert lab.run("drop-connection", "DROP CONNECTION bedrock")[0] == "COMPLETED"
