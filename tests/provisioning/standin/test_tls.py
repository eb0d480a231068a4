"""A rehearsal goes through TLS, the CA bundle and Kafka's keys, as the real thing does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import requests
import yaml
from confluent_kafka import KafkaError, Producer

from provisioning.apply import sections, steps
from provisioning.config import Credentials
from provisioning.progress import Silent
from provisioning.session import open_session
from provisioning.smoke_test import produce_and_read_back
from provisioning.standin import INSTANT, Standin
from provisioning.steps import run
from tests.fakes.laptop import desired_state


def test_whole_way_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS with its certificate, and one record there and back with SASL_SSL; another key is refused."""
    with Standin(INSTANT, tls=tmp_path) as standin, requests.Session() as http:
        assert standin.url.startswith("https://")
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(standin.url, timeout=5)
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(standin.trusted))
        desired = replace(desired_state(), engine="embedded")
        credentials = Credentials(standin.url, standin.key, standin.secret)
        session = open_session(desired, credentials, tmp_path / "journal.json", lambda _: True, session=http)
        run(steps(session, tmp_path / "config.yaml", produce_and_read_back), session.clock, Silent())
        kafka = yaml.safe_load((tmp_path / "config.yaml").read_text())["kafka"]
        assert kafka["security.protocol"] == "SASL_SSL"
        assert kafka["ssl.ca.location"] == str(standin.trusted)
        assert kafka == sections(session)["kafka"]
        _is_refused(kafka)


def _is_refused(kafka: dict[str, object]) -> None:
    errors: list[KafkaError] = []
    options = {key: value for key, value in kafka.items() if "." in key} | {"sasl.password": "wrong"}
    producer = Producer(options | {"error_cb": errors.append, "log_level": 0})
    for _ in range(50):
        producer.poll(0.1)
        if errors:
            break
    assert errors[0].code() == KafkaError._AUTHENTICATION
