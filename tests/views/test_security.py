"""Hostile input: nothing of it reaches a page as markup, a page's rights as a client, or the process as an end."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from axes.models import AccessLog
from django.contrib.auth.models import User
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from races.board.board import Board
from races.live.rendering.screen import screen_of
from races.middleware.visitors import COOKIE
from races.models import CommentaryLine, Race
from races.models.creation import Choice, create_race
from tests.fakes.markup import HOSTILE, Markup, check_headers
from tests.live import synthetic

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def shown(text: str) -> str:
    """Everything that a page gets of a race whose every text is this one."""
    info = synthetic.info()
    board = Board(info)
    screen = screen_of(info, None)
    parts = [screen.snapshot()]
    for number in (40, 41, 45):
        records = [
            record | {"team_name": text, "stints": text, "tyre": text}
            for record in synthetic.tick(number, info)
        ]
        for index, record in enumerate(records):
            if index % 2:
                record["driver_name"] = text
        event = synthetic.event(number, number, "yellow", "NOR", text)
        board.apply("race_control", event | {"type": text})
        board.apply(
            "commentary",
            {"id": f"{number}", "message": text, "timestamp": 1, "type": text, "race_id": synthetic.RACE_ID},
        )
        board.apply("avg_speed", {"avg_speed": 200.0}, {"driver_name": text, "race_id": synthetic.RACE_ID})
        reading = {
            "team_name": text,
            "engine_temperature": 300.0,
            "is_anomaly": True,
            "forecast_value": 100.0,
        }
        for key in (f"{synthetic.RACE_ID}:{text}", text, f"{synthetic.RACE_ID}:NOR"):
            at = {"key": key, "ts": synthetic.START + number * 200}
            board.apply("car_metrics_anomalies", reading | {"lower_bound": 99.0, "upper_bound": 101.0}, at)
        for record in records:
            if (frame := board.apply("positions", record)) is not None:
                parts.append(screen.show(frame))
    return "".join([*parts, screen.snapshot()])


HARMLESS = Markup(shown("harmless"))


def check_markup(text: str) -> None:
    found = Markup(shown(text))
    kinds = {tag for tag, _ in found.elements}
    assert kinds <= {tag for tag, _ in HARMLESS.elements}
    assert not {name for _, names in found.elements for name in names if name.startswith("on")}
    assert set(found.elements) <= set(HARMLESS.elements)
    assert found.addresses <= HARMLESS.addresses
    assert "conn" not in found.ids


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_in_any_record_is_only_ever_text(text: str) -> None:
    check_markup(text)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet=st.sampled_from("<>\"'&/= abionerscriptxl\x00;#-!"), min_size=1, max_size=60))
def test_no_text_at_all_makes_an_element(text: str) -> None:
    check_markup(text)


@pytest.mark.full
@settings(max_examples=10_000, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet=st.sampled_from("<>\"'&/= abionerscriptxl\x00;#-!"), min_size=1, max_size=60))
@pytest.mark.timeout(1800)
def test_no_text_at_all_makes_an_element_10000_of_them(text: str) -> None:
    check_markup(text)


@pytest.mark.parametrize("text", HOSTILE[:6])
def test_hostile_name_is_only_text(client: Client, text: str) -> None:
    race = create_race(Choice("NOR"))
    plain = Markup(client.get(race.get_absolute_url()).content.decode())
    for car in race.frozen["cars"]:
        car["name"] = car["team"] = text
    race.frozen["circuit_name"] = text
    Race.objects.filter(pk=race.pk).update(
        frozen=race.frozen,
        driver_name=text,
        team_name=text,
        circuit_name=text,
        status_reason=text,
        waiting_for=text,
    )
    CommentaryLine.objects.create(race=race, identity=text[:100], timestamp=1, type="info", message=text)
    for path in (race.get_absolute_url(), "/", "/races/"):
        content = client.get(path).content.decode()
        assert text not in content
    page = Markup(client.get(race.get_absolute_url()).content.decode())
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements} | {"ol", "li", "time"}
    assert not {name for _, names in page.elements for name in names if name.startswith("on")}


def test_guessing_at_the_admins_door_is_locked_out(client: Client) -> None:
    User.objects.create_superuser("marshal", password="the right one 4711")

    def login(password: str) -> int:
        fields = {"username": "marshal", "password": password, "next": "/admin/"}
        return client.post("/admin/login/", fields).status_code

    assert login("the right one 4711") == 302
    client.logout()
    assert not AccessLog.objects.exists(), "no address is kept of who logs in"
    codes = [login(f"guess {number}") for number in range(8)]
    assert codes[0] == 200
    assert login("the right one 4711") == 429
    assert client.get("/admin/").status_code == 302


def test_guessing_from_many_addresses_is_locked_out_too(client: Client) -> None:
    User.objects.create_superuser("marshal", password="the right one 4711")

    def login(name: str, password: str, address: int) -> int:
        fields = {"username": name, "password": password, "next": "/admin/"}
        return client.post("/admin/login/", fields, REMOTE_ADDR=f"203.0.113.{address}").status_code

    assert {login("marshal", f"guess {number}", number) for number in range(39)} == {200}
    assert login("steward", "guess", 99) == 200
    assert login("marshal", "the right one 4711", 100) == 302, "a name is not lost with a few addresses"
    client.logout()
    login("marshal", "guess 40", 40)
    assert login("marshal", "the right one 4711", 100) == 429
    assert login("steward", "guess", 100) == 200, "other names go on"


def test_the_admin_needs_a_login_and_staff(client: Client) -> None:
    for path in ("/admin/", "/admin/races/race/", "/admin/auth/user/"):
        answer = client.get(path)
        assert (answer.status_code, "/admin/login/" in answer["Location"]) == (302, True)
    client.force_login(User.objects.create(username="visitor"))
    assert client.get("/admin/").status_code == 302


def manage(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "F1_"))}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, "F1_VAR_DIR": str(folder), **environ},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_deployment_check_is_clean(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", DJANGO_HTTPS="1")
    assert done.returncode == 0, done.stderr
    key = tmp_path / "secret_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text()) > 50
    other = tmp_path / "other"
    manage(other, "check")
    assert (other / "secret_key").read_text() != key.read_text()
    assert "secret_key(ENVIRONMENT.django_secret_key" in (ROOT / "f1site" / "settings.py").read_text()


def test_cookies_are_for_this_site(client: Client) -> None:
    for secure in (False, True):
        with override_settings(CSRF_COOKIE_SECURE=secure, SESSION_COOKIE_SECURE=secure):
            page = Client().get("/", secure=secure)
        assert {COOKIE, "csrftoken"} <= set(page.cookies)
        for cookie in page.cookies.values():
            assert cookie["samesite"] == "Lax"
            assert bool(cookie["secure"]) == secure
        assert page.cookies[COOKIE]["httponly"]


def test_the_clients_cookie_holds_chance_and_nothing_else(client: Client) -> None:
    client.get("/", REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="Browser/1.0")
    value = client.cookies[COOKIE].value
    assert re.fullmatch(r"[\w-]{16}:[\w-]{43}", value)


@override_settings(F1_MAX_RACES_PER_CLIENT=1)
def test_answers_of_every_kind_carry_the_headers(client: Client) -> None:
    race = create_race(Choice("NOR"))
    strict = Client(enforce_csrf_checks=True)
    answers = {
        200: client.get(race.get_absolute_url()),
        303: client.post("/races/", {"driver": "NOR"}),
        429: client.post("/races/", {"driver": "NOR"}),
        422: client.post("/races/", {"driver": "?"}),
        403: strict.post("/races/", {"driver": "NOR"}),
        404: client.get("/races/nothing/"),
        405: client.get(f"/races/{race.pk}/stop/"),
        302: client.get("/admin/"),
        503: client.get("/registry/subjects"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        check_headers(answer)
