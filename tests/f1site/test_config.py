"""config.yaml: what is right is taken, what is wrong is named with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from f1site.config import ConfigError, Lab, read_lab
from races.streams.topics import TOPICS

KAFKA = "kafka:\n  bootstrap.servers: 'broker:9092'\n  schema_registry_url: 'http://registry:8081'\n"
MODEL = "commentary:\n  model: some-model\n"


def lab(tmp_path: Path, text: str | None, **environ: str) -> Lab:
    if text is not None:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    return read_lab(tmp_path, environ)


def error(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        lab(tmp_path, text)
    return str(caught.value)


def test_defaults_without_a_file(tmp_path: Path) -> None:
    found = lab(tmp_path, None)
    assert found.kafka is None
    assert (found.engine, found.anomaly_detection) == ("embedded", False)
    assert found.topics == {role: topic.name for role, topic in TOPICS.items()}


@pytest.mark.parametrize("text", ["", "# only comments\n", "kafka:\n", "features: ~\n"])
def test_an_empty_file_is_no_configuration(tmp_path: Path, text: str) -> None:
    assert lab(tmp_path, text).kafka is None


def test_example_is_a_good_file(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "config.yaml.example").read_text(encoding="utf-8")
    keys = [
        line[2:]
        for line in example.splitlines()
        if line.startswith("# ") and ":" in line and "$schema" not in line
    ]
    text = "\n".join(line for line in keys if not line[:1].isupper() and not line.strip().startswith("#"))
    found = lab(tmp_path, text)
    assert found.kafka is not None
    assert found.kafka.bootstrap == "localhost:9092"


def test_kafka_section_with_librdkafka_keys(tmp_path: Path) -> None:
    text = KAFKA + (
        "  security.protocol: SASL_SSL\n  sasl.mechanism: PLAIN\n  sasl.username: KEY\n  sasl.password: SECRET\n"
        "  schema_registry_api_key: SRKEY\n  schema_registry_secret: SRSECRET\n"
        "  ssl.endpoint.identification.algorithm: none\n"
    )
    kafka = lab(tmp_path, text).kafka
    assert kafka is not None
    assert kafka.librdkafka["ssl.endpoint.identification.algorithm"] == "none"
    assert kafka.registry_auth == "SRKEY:SRSECRET"
    assert "SECRET" not in repr(kafka)


def test_properties_that_only_some_clients_know_are_taken(tmp_path: Path) -> None:
    text = KAFKA.replace("broker:9092", "b1:9092, SSL://b2, [::1]:9092") + (
        "  session.timeout.ms: 6000\n  linger.ms: 7\n  client.id: lab\n  consumer_group: ''\n"
    )
    kafka = lab(tmp_path, text).kafka
    assert kafka is not None
    assert kafka.librdkafka["session.timeout.ms"] == "6000"
    assert (
        kafka.group == "f1-leaderboard-consumer"
    )  # librdkafka ends the process of a consumer whose group is ''


def test_topics_may_have_other_names(tmp_path: Path) -> None:
    found = lab(tmp_path, KAFKA + "  topics:\n    positions: my-positions\n")
    assert found.topics["positions"] == "my-positions"
    assert found.topics["commentary"] == "f1-commentary"


def test_flink_before_and_after_provisioning(tmp_path: Path) -> None:
    text = "analytics:\n  engine: flink\n"
    before, after = lab(tmp_path, text), lab(tmp_path, KAFKA + text)
    assert (before.wanted_engine, before.engine, before.commentator) == ("flink", "embedded", "embedded")
    assert (after.wanted_engine, after.engine, after.commentator) == ("flink", "flink", "flink")


def test_the_environment_turns_anomaly_detection_on(tmp_path: Path) -> None:
    assert lab(tmp_path, None, F1_ANOMALY_DETECTION="1").anomaly_detection


def test_named_file_must_exist(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("features:\n  anomaly_detection:\n    enabled: true\n")
    assert lab(tmp_path, None, F1_CONFIG=str(other)).anomaly_detection
    with pytest.raises(ConfigError, match="F1_CONFIG"):
        lab(tmp_path, None, F1_CONFIG=str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kafka: [1, 2]\n", ["line 1", "kafka"]),
        ("kafak:\n  x: 1\n", ["line 1", "'kafak'", "did you mean 'kafka'"]),
        (KAFKA + "  security.protocol: SSSL\n", ["line 4", "kafka.security.protocol", "SSSL", "SASL_SSL"]),
        ("kafka:\n  schema_registry_url: http://r\n", ["kafka.bootstrap.servers", "missing"]),
        ("kafka:\n  bootstrap.servers: b:1\n", ["kafka.schema_registry_url", "http://"]),
        (
            KAFKA + "  session.timeout.mss: 1\n",
            ["line 4", "'kafka.session.timeout.mss'", "No such", "take it out"],
        ),
        (KAFKA + "  session.timeout.ms: soon\n", ["line 4", "'kafka.session.timeout.ms'", "Invalid value"]),
        (KAFKA + "  linger.ms: -4\n", ["line 4", "'kafka.linger.ms'", "-4 is outside allowed range"]),
        (
            KAFKA + "  session.timeout.ms: 400000\n",
            ["line 4", "kafka.session.timeout.ms", "max.poll.interval"],
        ),
        (KAFKA + "  sasl.mechanism: PLAIM\n  security.protocol: SASL_SSL\n", ["'kafka'", "PLAIM"]),
        (KAFKA + "  security.protocol: SSL\n  ssl.ca.location: none.pem\n", ["line 5", "ssl.ca.location"]),
        (KAFKA + "  group.id: ''\n", ["line 4", "kafka.group.id", "consumer_group"]),
        (KAFKA + "  default.topic.config: x\n", ["line 4", "default.topic.config", "is not taken"]),
        (KAFKA.replace("9092", "99999"), ["line 2", "kafka.bootstrap.servers", "99999", "host:port"]),
        (KAFKA.replace("broker:", "http://broker:"), ["line 2", "http://broker", "host:port"]),
        (KAFKA + "  topics:\n    positons: x\n", ["line 5", "positons", "did you mean 'positions'"]),
        (KAFKA + "  topics:\n    positions: 'a b'\n", ["line 5", "a b"]),
        (KAFKA + "  topics:\n    positions: f1-commentary\n", ["one topic twice"]),
        ("analytics:\n  engine: spark\n", ["line 2", "analytics.engine", "spark", "embedded, flink"]),
        ("features:\n  anomaly_detection:\n    enabled: maybe\n", ["line 3", "maybe", "true, false"]),
        ("confluent:\n  flink_max_cfu: 7\n", ["line 2", "7", "5, 10"]),
        (MODEL + "  base_url: http://a..b/v1\n", ["line 3", "commentary.base_url", "a..b", "http://"]),
        (MODEL + "  base_url: localhost:11434/v1\n", ["line 3", "commentary.base_url", "http://"]),
        (MODEL + "  base_url: http://[::1/v1\n", ["line 3", "commentary.base_url", "http://"]),
        (MODEL + "  base_url: http://h:99999/v1\n", ["line 3", "commentary.base_url", "http://"]),
        (MODEL + "  base_url: http://h:0/v1\n", ["line 3", "commentary.base_url", "http://"]),
        (MODEL + "  base_url: http://h h/v1\n", ["line 3", "commentary.base_url", "http://"]),
        (MODEL + "  base_url: http:///v1\n", ["line 3", "commentary.base_url", "http://"]),
        (MODEL + f"  base_url: http://{'a' * 64}.b/v1\n", ["line 3", "commentary.base_url"]),
        (MODEL + "  api_key: sk-…\n", ["line 3", "commentary.api_key", "copy it again"]),
        (MODEL + '  api_key: "sk-1\\nX-Evil: 2"\n', ["line 3", "commentary.api_key"]),
        (MODEL, ["commentary.base_url", "missing"]),
        ("commentary:\n  base_url: http://h/v1\n", ["commentary.model", "missing"]),
        ("a: 'unclosed\n", ["line", "YAML"]),
        ("analytics:\n  engine: embedded\n  engine: flink\n", ["line 3", "twice"]),
    ],
)
def test_wrong_file_is_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    message = error(tmp_path, text)
    assert str(tmp_path / "config.yaml") in message
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("sign", ["'", '"'])
def test_missing_quotation_mark_hides_keys(tmp_path: Path, sign: str) -> None:
    text = f"kafka:\n  bootstrap.servers: {sign}b:1\n  sasl.password: hidden\n  sasl.username: {sign}\n"
    message = error(tmp_path, text)
    assert "line 2: 'kafka.bootstrap.servers' goes on over several lines" in message
    assert "hidden" not in message


def test_a_wrong_key_is_not_shown(tmp_path: Path) -> None:
    assert "sk-" not in error(tmp_path, MODEL + "  api_key: sk-…\n")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434/v1",
        "https://api.example.com/v1/",
        "http://[::1]:8000/v1",
        "http://bücher.example",
    ],
)
def test_a_language_models_address_and_key_are_taken(tmp_path: Path, url: str) -> None:
    model = lab(tmp_path, MODEL + f"  base_url: '{url}'\n  api_key: sk-1\n").commentary
    assert (model.base_url, model.model, model.api_key, model.configured) == (url, "some-model", "sk-1", True)


def test_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_lab(tmp_path, {})


def test_topics_of_a_feature_that_is_off_are_not_used(tmp_path: Path) -> None:
    off, on = lab(tmp_path, KAFKA).kafka, lab(tmp_path, KAFKA, F1_ANOMALY_DETECTION="1").kafka
    assert off is not None
    assert on is not None
    assert off.unused == {"car_metrics", "car_metrics_anomalies"}
    assert not on.unused


FLINK = "analytics:\n  engine: flink\nflink:\n  gateway_url: http://f:8083\n  rest_url: http://f:8081\n"


def test_flink_of_ones_own(tmp_path: Path) -> None:
    found = lab(tmp_path, KAFKA + FLINK + "  bootstrap.servers: kafka:9092\n")
    assert found.flink is not None
    assert (found.flink.gateway_url, found.flink.bootstrap) == ("http://f:8083", "kafka:9092")
    assert (found.engine, found.commentator) == ("flink", "embedded")
    model = "commentary:\n  base_url: http://m/v1\n  model: small\n"
    assert lab(tmp_path, KAFKA + FLINK + model).commentator == "flink"
    assert lab(tmp_path, KAFKA + "analytics:\n  engine: flink\n").flink is None


def test_own_registry_beside_a_kafka(tmp_path: Path) -> None:
    found = lab(tmp_path, "kafka:\n  bootstrap.servers: broker:9092\n  schema_registry_url: own\n").kafka
    assert found is not None
    assert (found.own_registry, found.registry_url) == (True, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flink:\n  gateway_url: http://f:8083\n", "'flink.rest_url' is missing; write the address"),
        ("flink:\n  rest_url: http://f\n", "'flink.gateway_url' is missing; write the address"),
        ("flink:\n  gateway_url: f:8083\n  rest_url: http://f\n", "line 5: 'flink.gateway_url' is 'f:8083'"),
        (
            "analytics:\n  engine: flink\n  commentary: flink\nflink:\n  gateway_url: http://f\n  rest_url: http://f\n",
            "'analytics.commentary' is 'flink', which needs a model in the commentary: section",
        ),
        ("flink:\n  gateway: x\n", "'flink.gateway' is not known; did you mean 'gateway_url'?"),
    ],
)
def test_wrong_flink_section(tmp_path: Path, text: str, words: str) -> None:
    assert words in error(tmp_path, KAFKA + text)
