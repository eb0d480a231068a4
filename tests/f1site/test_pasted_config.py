"""What people paste into config.yaml: taken as it is meant, or refused in a line that says what to write."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from f1site.config import ConfigError, Lab, read_lab
from races.streams.config import StreamSettings

BROKER = "kafka:\n  bootstrap.servers: broker:9092\n"
REGISTRY = "  schema_registry_url: http://registry:8081\n"
KAFKA = BROKER + REGISTRY


def lab(tmp_path: Path, text: str | bytes, **environ: str) -> Lab:
    data = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "config.yaml").write_bytes(data)
    return read_lab(tmp_path, environ)


def kafka(tmp_path: Path, text: str | bytes, **environ: str) -> StreamSettings:
    found = lab(tmp_path, text, **environ).kafka
    assert found is not None
    return found


def refused(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        lab(tmp_path, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("lines", "key", "value"),
    [
        ("  acks: all\n  retries: 5\n", "acks", "all"),
        ("  sasl.mechanisms: PLAIN\n", "sasl.mechanism", "PLAIN"),
        (
            "  security.protocol: sasl_plaintext\n  sasl.mechanisms: OAUTHBEARER\n",
            "security.protocol",
            "SASL_PLAINTEXT",
        ),
        ("  socket.keepalive.enable: yes\n", "socket.keepalive.enable", "true"),
        ("  enable.ssl.certificate.verification: off\n", "enable.ssl.certificate.verification", "false"),
        ("  client_id: lab\n", "client.id", "lab"),
        ("  topic.message.timeout.ms: 5000\n", "message.timeout.ms", "5000"),
        ("  client.id: &name lab\n  client.rack: *name\n", "client.rack", "lab"),
        ("  sasl:\n    username: me\n", "sasl.username", "me"),
        ("  sasl.password: $ConnectionString\n", "sasl.password", "$ConnectionString"),
        ("  sasl.password: yes\n", "sasl.password", "yes"),
        ("  sasl.password: 007\n", "sasl.password", "007"),
    ],
)
def test_a_property_in_another_form(tmp_path: Path, lines: str, key: str, value: str) -> None:
    assert kafka(tmp_path, KAFKA + lines).librdkafka[key] == value


@pytest.mark.parametrize(
    "text",
    [
        "kafka:\n  bootstrap:\n    servers: broker:9092\n",
        "kafka:\n  bootstrap_servers: broker:9092\n",
        "kafka:\n  bootstrap.servers:\n    - broker:9092\n",
        "kafka:\n  metadata.broker.list: broker:9092\n",
        "x-common: &common\n  bootstrap.servers: broker:9092\nkafka:\n  <<: *common\n",
        "kafka:\n  bootstrap.servers: ${BROKER}\n",
        "kafka:\n  bootstrap.servers: ${NONE:-broker:9092}\n",
    ],
)
def test_brokers_in_another_form(tmp_path: Path, text: str) -> None:
    assert kafka(tmp_path, text + REGISTRY, BROKER="broker:9092").bootstrap == "broker:9092"


@pytest.mark.parametrize(
    "lines",
    [
        "  schema.registry.url: http://registry:8081\n  basic.auth.user.info: 'user:pa:ss'\n",
        "  schema_registry_url: http://user:pa%3Ass@registry:8081\n",
        "  schema.registry.url: http://registry:8081\n  basic.auth.credentials.source: USER_INFO\n"
        "  schema.registry.basic.auth.user.info: 'user:pa:ss'\n",
    ],
)
def test_a_registrys_login_in_another_form(tmp_path: Path, lines: str) -> None:
    found = kafka(tmp_path, BROKER + lines)
    assert (found.registry_url, found.registry_auth) == ("http://registry:8081", "user:pa:ss")


def test_javas_login(tmp_path: Path) -> None:
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    text = (
        f"  sasl.mechanism: PLAIN\n  sasl.jaas.config: {module} required username='KEY' password=\"SE'C\";\n"
    )
    found = kafka(tmp_path, KAFKA + text).librdkafka
    assert (found["sasl.username"], found["sasl.password"]) == ("KEY", "SE'C")


def test_a_file_with_a_mark_and_line_ends_of_windows(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + KAFKA.replace("\n", "\r\n").encode()
    assert kafka(tmp_path, data).bootstrap == "broker:9092"


def test_an_escaped_variable_stays(tmp_path: Path) -> None:
    assert kafka(tmp_path, KAFKA + "  sasl.password: 'a$${b}'\n").librdkafka["sasl.password"] == "a${b}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BROKER.replace("broker:9092", "BOOTSTRAP_SERVER_URL_FROM_API_KEY_FILE"), ["line 2", "placeholder"]),
        (KAFKA + "  sasl.username: YOUR_CONFLUENT_CLOUD_API_KEY\n", ["sasl.username", "placeholder"]),
        (KAFKA.replace("broker", "pkc-….us-east-2.aws"), ["bootstrap.servers", "placeholder"]),
        ("cloud_api_key: K\n", ["line 1", "write confluent:", "cloud_api_key:"]),
        ("cloud_provider: aws\n", ["write confluent:", "cloud:"]),
        (KAFKA + "  request.required.acks: 1\n", ["line 4", "write all"]),
        (KAFKA + "  security.protocol: sasl_ssl\n", ["GSSAPI", "write sasl.mechanism: PLAIN"]),
        (KAFKA + "  sasl.password: ${NO_SUCH_VARIABLE}\n", ["line 4", "NO_SUCH_VARIABLE", "not set"]),
        (KAFKA + "  transactional.id: lab\n", ["line 4", "transactional.id", "is not taken"]),
        (KAFKA + "  delivery.report.only.error: true\n", ["line 4", "delivery.report.only.error"]),
        (KAFKA + "  ssl.ca.location: /none/ca.pem\n", ["line 4", "/none/ca.pem", "not there"]),
        (KAFKA + "  schema_registry_ca: /none/ca.pem\n", ["line 4", "schema_registry_ca", "not there"]),
        (
            KAFKA + "  ssl.truststore.location: a.jks\n",
            ["line 4", "ssl.truststore.location", "ssl.ca.location"],
        ),
        (KAFKA.replace("http://registry:8081", "http://a,http://b"), ["line 3", "write one of them"]),
        (
            KAFKA.replace("registry:8081", "u:hidden@registry") + "  schema_registry_api_key: K\n",
            ["line 3", "schema_registry_api_key", "keep one"],
        ),
        (KAFKA + "  sasl.jaas.config: Krb5LoginModule required;\n", ["sasl.jaas.config", "sasl.username"]),
        (KAFKA + "  basic.auth.credentials.source: URL\n", ["line 4", "schema_registry_api_key"]),
        (KAFKA + "  sasl.mechanisms: PLAIN\n  sasl.mechanism: PLAIN\n", ["sasl.mechanisms", "keep one"]),
        ("kafka:\n\tbootstrap.servers: b:1\n", ["line 2", "not with tabs"]),
        (KAFKA + '  ssl.ca.location: "C:\\Users\\ca.pem"\n', ["line 4", "single quotes"]),
        ("---\nkafka: {}\n---\nfeatures: {}\n", ["line 3", "second ---"]),
        (KAFKA + "kafka:\n  client.id: x\n", ["line 4", "'kafka'", "twice"]),
        (KAFKA.encode("utf-16"), ["UTF-16", "save it as UTF-8"]),
        (KAFKA.encode() + b"  client.id: B\xfcro\n", ["line 4", "not UTF-8", "save the file as UTF-8"]),
        (KAFKA + "  debgu: all\n", ["line 4", "kafka.debgu", "is not known"]),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str | bytes, words: list[str]) -> None:
    message = refused(tmp_path, text)
    assert "hidden" not in message
    for word in words:
        assert word in message


def test_a_check_asks_nobody_for_a_token(tmp_path: Path) -> None:
    """A client for OAUTHBEARER fetches its token as soon as it is made."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(1.0)
        asked: list[object] = []
        heard = threading.Thread(target=lambda: _accept(listener, asked))
        heard.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/token"
        oidc = "".join(
            f"  sasl.oauthbearer.{name}: {value}\n"
            for name, value in {
                "method": "oidc",
                "client.id": "lab",
                "client.secret": "s",
                "token.endpoint.url": address,
            }.items()
        )
        text = KAFKA + "  security.protocol: SASL_PLAINTEXT\n  sasl.mechanisms: OAUTHBEARER\n" + oidc
        assert kafka(tmp_path, text).librdkafka["security.protocol"] == "SASL_PLAINTEXT"
        heard.join()
    assert not asked


def _accept(listener: socket.socket, asked: list[object]) -> None:
    try:
        asked.append(listener.accept())
    except TimeoutError:
        return
