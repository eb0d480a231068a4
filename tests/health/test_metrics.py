"""/metrics is what Prometheus' own parser and checker take, with the names that dashboards ask for."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from races.health.metrics import text_of
from races.lib.metrics import TICK_LATENESS
from races.lib.tracing import Tracer
from tests.fakes.waiting import lacking

NAMES = {
    "f1_feed_records_total", "f1_feed_lag", "f1_feed_skipped_records_total", "f1_feed_restarts_total",
    "f1_sockets", "f1_frames_sent_total", "f1_frames_skipped_total", "f1_database_up", "f1_races_active",
    "f1_tasks", "f1_threads", "f1_tick_lateness_seconds_bucket", "f1_page_delay_seconds_count",
}  # fmt: skip


@pytest.mark.django_db
def test_every_figure_has_help_and_type(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = list(text_string_to_metric_families(answer.content.decode()))
    assert all(family.documentation and family.type != "unknown" for family in families)
    assert {sample.name for family in families for sample in family.samples} >= NAMES


@pytest.mark.django_db
def test_promtool_finds_nothing(client: Client) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        lacking("there is no promtool here (Debian's package prometheus has it)")
    text = client.get("/metrics").content
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_a_late_tick_is_in_its_bucket() -> None:
    def bucket() -> float:
        families = text_string_to_metric_families(text_of().decode())
        samples = [sample for family in families for sample in family.samples]
        return next(
            one.value
            for one in samples
            if one.name == "f1_tick_lateness_seconds_bucket" and one.labels["le"] == "0.05"
        )

    before = bucket()
    TICK_LATENESS.observe(0.03)
    TICK_LATENESS.observe(0.3)
    assert bucket() == before + 1


def test_time_between_two_stages() -> None:
    tracer = Tracer()
    tracer.record("race", 1, "read", 2.0)
    assert tracer.between("race", 1, "read", "delivered") is None
    tracer.record("race", 1, "delivered", 2.5)
    assert tracer.between("race", 1, "read", "delivered") == 0.5
