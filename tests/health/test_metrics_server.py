"""A worker's own /metrics."""

from __future__ import annotations

import socket

import pytest
import requests

from races.health.metrics import worker_text
from races.health.metrics_server import MetricsServer
from races.lab.components import make_components
from races.lib.tracing import tracer
from races.streams.connection import Connection


def test_a_worker_of_its_own_serves_its_figures(kafka: Connection) -> None:
    found = make_components(kafka)
    server = MetricsServer(0, worker_text)
    server.start()
    try:
        answer = requests.get(server.url, timeout=10)
        assert answer.headers["Content-Type"].startswith("text/plain")
        names = {line.split()[0] for line in answer.text.splitlines()}
        assert "f1_tick_lateness_seconds_count" in names
        assert {"f1_worker_worst_lateness_seconds", "f1_publisher_waiting_records"} <= names
        assert requests.get(server.url + "/else", timeout=10).status_code == 404
        tracer.record("a-race", 3, "sent", 12.5)
        assert requests.get(server.address + "/trace/a-race", timeout=10).json() == {"3": {"sent": 12.5}}
        assert requests.get(server.address + "/trace/no-race", timeout=10).json() == {}
    finally:
        server.close()
        found.recorder.stop()


def test_taken_port_comes_before_any_race(tmp_path: object) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            MetricsServer(port, worker_text)
