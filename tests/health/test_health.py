"""/healthz while something is wrong: the part that is says so, within seconds, wherever it runs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.test import Client, override_settings
from django.utils import timezone

from races.health import views
from races.health.database import ROOM
from races.health.views import NOBODY
from races.lab import components as lab_components
from races.lab.components import Components, make_components
from races.live.service import LiveService
from races.models import Race, WorkerHeartbeat
from races.recorder.recorder import SILENT_S, Recorder
from races.streams import connection
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.connection import Connection
from races.streams.registry.service import Registry
from races.worker import heartbeat
from tests.fakes.database import locked
from tests.fakes.lab import health, recording, running, short_race
from tests.fakes.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web_only(monkeypatch: pytest.MonkeyPatch, kafka: Connection) -> None:
    monkeypatch.setattr(lab_components, "_current", None)
    views._logged.clear()


def beat(state: str) -> None:
    WorkerHeartbeat.objects.update_or_create(
        owner="w1", defaults={"seen_at": timezone.now(), "races": 1, "state": state}
    )


def test_readers_report_a_read_only_database(web_only: None) -> None:
    assert health()[1]["database"]["ok"]
    with locked(database.settings_dict["NAME"]):
        status, body = health()
    assert status == 503
    assert "locked" in body["database"]["error"]
    assert "does not answer" in body["recorder"]["error"]
    assert health()[1]["database"] == {"ok": True, "engine": "sqlite"}
    with database.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)


FULL = "the disk is full: 1023 KiB are left for the database"


@pytest.mark.parametrize(("free", "error"), [(ROOM, None), (ROOM - 1, FULL)])
def test_full_disk_beside_a_given_lock(
    web_only: None, monkeypatch: pytest.MonkeyPatch, free: int, error: str | None
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda file: SimpleNamespace(free=free))
    assert health()[1]["database"].get("error") == error


def test_recorder_elsewhere_is_seen_by_heartbeat(web_only: None) -> None:
    beat("running")
    assert health()[1]["recorder"] == {"ok": True, "here": False}
    beat(heartbeat.to_state("the database does not take history: database or disk is full", ""))
    status, body = health()
    assert (status, body["ok"], body["recorder"]["ok"]) == (503, False, False)
    assert body["recorder"]["error"] == (
        "worker w1: the database does not take history: database or disk is full"
    )
    assert body["analytics"]["ok"]
    assert body["worker"]["ok"]


def test_analytics_in_another_process_tell_by_the_same_row(web_only: None) -> None:
    beat(heartbeat.to_state("", "waiting: broker away\nsince 4 s"))
    assert health()[1]["analytics"]["error"] == "worker w1: waiting: broker away since 4 s"
    WorkerHeartbeat.objects.update(seen_at=timezone.now() - timedelta(seconds=11))
    assert health()[1]["analytics"]["ok"], "what a worker said that is gone is not known to be so"


def test_race_without_a_worker_is_unrecorded(web_only: None) -> None:
    race = short_race()
    assert "error" not in health()[1]["worker"], (
        "it waits for its first worker, and there is nothing to record"
    )
    Race.objects.filter(pk=race.pk).update(status=Race.Status.RUNNING)
    beat("running")
    assert "error" not in health()[1]["worker"]
    WorkerHeartbeat.objects.update(seen_at=timezone.now() - timedelta(seconds=11))
    assert health()[1]["worker"] == {"ok": False, "workers": [], "error": NOBODY}
    Race.objects.filter(pk=race.pk).update(status=Race.Status.FINISHED)
    assert health()[1]["worker"] == {"ok": False, "workers": []}


def test_that_no_worker_is_there_takes_no_web_out_of_service(
    web_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = {"ok": True}
    for name in ("kafka_part", "registry_part", "feed_part"):
        monkeypatch.setattr(views, name, lambda *_: well)
    Race.objects.filter(pk=short_race().pk).update(status=Race.Status.RUNNING)
    status, body = health()
    assert (status, body["ok"], body["worker"]["error"]) == (200, True, NOBODY)


def test_both_fit_into_the_row_however_long_their_words() -> None:
    text = heartbeat.to_state("x" * 500, "y" * 500)
    assert len(text) <= 200 == WorkerHeartbeat._meta.get_field("state").max_length
    assert set(heartbeat.from_state(text)) == {"recorder", "analytics"}


def test_heartbeat_holds_the_recorders_trouble(kafka: Connection) -> None:
    found = make_components(kafka)
    found.recorder.run = lambda: None  # type: ignore[method-assign]
    found.recorder.error = "the database does not take history: disk full"
    with running(found):
        wait_for(
            lambda: WorkerHeartbeat.objects.filter(state__contains="recorder: the database").exists(),
            "the row says it",
        )
        found.recorder.error = ""
        wait_for(lambda: WorkerHeartbeat.objects.filter(state="running").exists(), "and that it is over")


def test_slow_flush_is_said_early() -> None:
    now = [100.0]
    recorder = Recorder(
        lambda start, incarnation: None,  # type: ignore[arg-type, return-value]
        Codec(embedded_settings("unused:1"), Registry()),
        lambda: now[0],
    )
    now[0] += 60
    assert recorder.trouble == "", "it does not hold the lease"
    recorder.active, recorder.flushed_at = True, now[0]
    now[0] += SILENT_S - 0.5
    assert recorder.trouble == ""
    now[0] += 1
    assert recorder.trouble == "the database has taken no history for 4 s"


def test_a_recorder_here_that_is_kept_waiting_is_a_503(kafka: Connection, components: Components) -> None:
    wait_for(lambda: health()[1]["recorder"].get("active"), "it records")
    assert health()[1]["recorder"]["ok"]
    with locked(database.settings_dict["NAME"]):
        wait_for(lambda: "no history for" in health()[1]["recorder"].get("error", ""), "it is told", 10)
        assert health()[0] == 503
    wait_for(lambda: health()[1]["recorder"]["ok"], "it is over")


@override_settings(SECURE_SSL_REDIRECT=True)
@pytest.mark.parametrize("path", ["/livez", "/healthz", "/metrics"])
def test_probes_on_the_machine_are_not_sent_to_https(web_only: None, path: str) -> None:
    assert Client().get(path).status_code in (200, 503)
    assert Client().get("/").status_code == 301


def test_no_nul_of_an_errors_words_reaches_the_row() -> None:
    assert heartbeat.to_state("no such \0topic", "") == "recorder: no such topic"


WORDS = {
    'connection to server at "db.internal" (10.0.0.7), port 5432 failed: FATAL: password authentication failed for '
    'user "lab_owner"': "the database does not answer",
    "database is locked": "the database is locked and takes no writes",
    "canceling statement due to lock timeout": "the database is locked and takes no writes",
    "canceling statement due to statement timeout": "the database does not answer in time",
    "attempt to write a readonly database": "the database is read-only",
    "database or disk is full": "the database has no room: database or disk is full",
    'relation "races_race" does not exist': "the database lacks tables: run manage.py migrate",
}


@pytest.mark.parametrize(("said", "told"), WORDS.items())
def test_words_of_a_database_error(
    web_only: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, said: str, told: str
) -> None:
    def broken() -> None:
        raise OperationalError(said)

    monkeypatch.setattr(views, "database_part", broken)
    for _ in range(3):
        status, body = health()
        assert (status, body["database"]) == (503, {"ok": False, "error": told})
        assert "lab_owner" not in str(body)
    assert [record.getMessage() for record in caplog.records if record.name == views.__name__] == [
        f"The database: {said}"
    ]


def test_a_recorder_says_of_what_kind_the_databases_error_is(
    kafka: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object) -> bool:
        raise OperationalError('FATAL: role "lab_owner" is not permitted to log in at db.internal')

    monkeypatch.setattr("races.models.leases.RecorderLease.hold", refuse)
    with recording(kafka) as recorder:
        wait_for(lambda: recorder.trouble, "it says so")
        assert recorder.trouble == "the database does not take history: it does not answer"


def test_registrys_address_has_no_user(
    web_only: None, kafka: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(kafka.settings, embedded=False, registry_url="http://key:secret@127.0.0.1:1/sr")
    connection.use(connection.connect(settings))
    assert health()[1]["registry"]["url"] == "http://127.0.0.1:1/sr"


def test_a_feed_that_stopped_names_the_kind_of_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveService()

    def broken() -> None:
        live._stopping.set()
        raise OSError("cannot open /home/somebody/secret")

    monkeypatch.setattr(live, "_run_feed", broken)
    live.supervise()
    assert live.feed_error == "it stopped (OSError) and starts again; the log says why"
