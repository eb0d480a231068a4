"""Pages and interface: what a visitor sends and sees."""

from __future__ import annotations

import html
import json
import logging
import re
import uuid
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext

from races.middleware.visitors import COOKIE
from races.models import Race
from races.models.creation import Choice, create_race
from races.streams.connection import Connection
from races.views.registry import registry

pytestmark = pytest.mark.django_db


def post(client: Client, **fields: Any) -> Any:
    return client.post("/races/", fields)


def test_the_choice_of_drivers_shows_the_whole_grid(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    text = page.content.decode()
    for code in ("NOR", "VER", "HAM", "ANT", "BOT"):
        assert code in text


def test_a_driver_alone_starts_the_default_race(client: Client) -> None:
    answer = post(client, driver="NOR")
    race = Race.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/races/{race.pk}/")
    assert (race.circuit, race.pace, race.incidents) == ("monza", 12, True)
    assert race.status == Race.Status.QUEUED


def test_choices_are_taken(client: Client) -> None:
    post(client, driver="ham", circuit="spa", laps="5", pace="20", seed="77", incidents_asked="1")
    race = Race.objects.get()
    assert (race.driver_code, race.circuit, race.laps, race.pace, race.seed, race.incidents) == (
        "HAM", "spa", 5, 20, 77, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"driver": "QQQ"}, "driver"),
        ({"driver": ""}, "driver"),
        ({"driver": "NOR", "circuit": "nowhere"}, "circuit"),
        ({"driver": "NOR", "laps": "0"}, "laps"),
        ({"driver": "NOR", "laps": "9999"}, "laps"),
        ({"driver": "NOR", "laps": "many"}, "laps"),
        ({"driver": "NOR", "pace": "61"}, "pace"),
        ({"driver": "NOR", "pace": "-1"}, "pace"),
        ({"driver": "NOR", "seed": "abc"}, "seed"),
        ({"driver": "NOR", "seed": "-5"}, "seed"),
    ],
)
def test_wrong_field_keeps_what_was_typed(client: Client, fields: dict[str, str], field: str) -> None:
    answer = post(client, **fields)
    assert answer.status_code == 422
    assert not Race.objects.exists()
    assert set(answer.context["form"].errors) == {field}
    assert b'<a href="/" aria-current="page">' in answer.content
    assert b'<a href="/races/">' in answer.content
    assert answer.context["chosen"][field] == (fields[field] or answer.context["chosen"][field])
    assert str(answer.context["form"].errors[field][0]).encode() in answer.content.replace(b"&#x27;", b"'")


@pytest.mark.parametrize(
    "typed",
    [
        {"driver": "QQQ", "laps": "0", "pace": "99", "seed": "x"},
        {"driver": "N", "circuit": "nowhere", "laps": "79", "pace": "61", "seed": "12.5"},
        {
            "driver": "NORRIS",
            "circuit": "x" * 39,
            "laps": f"{10**30}",
            "pace": f"{10**30}",
            "seed": f"{10**30}",
        },
        {"driver": "", "circuit": "x\0y", "laps": "-1", "pace": "0", "seed": f"{2**31}"},
    ],
)
def test_every_wrong_field_has_its_error(client: Client, typed: dict[str, str]) -> None:
    answer = post(client, **typed)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == set(typed)
    text = answer.content.decode()
    assert text.count('class="error"') == len(typed)
    for field in ("laps", "pace", "seed"):
        said = re.escape(html.escape(answer.context["form"].errors[field][0]))
        assert re.search(
            rf'name="{field}"[^>]* value="{typed[field]}"[^>]*>\s*<span class="error"[^>]*>{said}<', text
        )
    assert not Race.objects.exists()


def test_laps_within_a_circuits_distance(client: Client) -> None:
    said = post(client, driver="NOR", circuit="spa", laps="45").context["form"].errors["laps"][0]
    assert said == "Laps go from 1 to 44, the Grand Prix distance of Spa."


def test_what_was_typed_is_escaped(client: Client) -> None:
    answer = post(client, driver="NOR", seed='"><script>alert(1)</script>')
    assert b"<script>alert" not in answer.content


@override_settings(F1_MAX_RACES_PER_CLIENT=2)
def test_a_client_over_its_limit_gets_429_with_words(client: Client) -> None:
    client.get("/")
    assert [post(client, driver="NOR").status_code for _ in range(3)] == [303, 303, 429]
    assert Race.objects.count() == 2


@override_settings(F1_MAX_RACES_PER_CLIENT=1)
def test_who_is_over_the_limit_can_stop_a_race_there(client: Client) -> None:
    """Each race says its seed and whose it is; only the own ones have the button."""
    post(Client(), driver="PIA", seed="8")
    post(client, driver="NOR", seed="7")
    page = post(client, driver="NOR").content.decode()
    mine = Race.objects.get(driver_code="NOR")
    assert page.count("/stop/") == 1
    assert f"/races/{mine.pk}/stop/" in page
    assert "seed 7, yours" in page
    assert "seed 8 " in page


@override_settings(F1_MAX_RACES=1)
def test_a_full_lab_gets_429_for_everybody(client: Client) -> None:
    post(client, driver="NOR")
    answer = post(Client(), driver="NOR")
    assert answer.status_code == 429
    assert b"which is all that this lab takes" in answer.content


def test_the_form_needs_its_csrf_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/races/", {"driver": "NOR"}).status_code == 403


def test_a_races_page_shows_and_an_unknown_one_is_404(client: Client) -> None:
    race = create_race(Choice("NOR"))
    assert client.get(race.get_absolute_url()).status_code == 200
    missing = client.get(f"/races/{uuid.uuid4()}/")
    assert missing.status_code == 404
    assert b"no such race" in missing.content.lower() or b"not" in missing.content.lower()


def test_six_letters_lead_to_a_race_and_others_nowhere(client: Client) -> None:
    race, other = create_race(Choice("NOR")), create_race(Choice("NOR"))
    assert race.short_code != other.short_code
    for code in (race.short_code, race.short_code.upper()):
        assert client.get(f"/j/{code}/")["Location"] == race.get_absolute_url()
    for code in (race.short_code[:-1], race.short_code + "b", "aaaaaa", "bbbbbb"):
        assert client.get(f"/j/{code}/").status_code == 404


def test_of_two_ids_that_begin_alike_the_newest_is_meant(client: Client) -> None:
    old, new = create_race(Choice("NOR")), create_race(Choice("HAM"))
    alike = uuid.UUID(old.pk.hex[:8] + new.pk.hex[8:])
    Race.objects.create(**{**Race.objects.filter(pk=new.pk).values().get(), "id": alike})
    assert client.get(f"/j/{old.short_code}/")["Location"] == f"/races/{alike}/"


def big_screen(client: Client, race: Race, host: str) -> str:
    return client.get(race.get_absolute_url(), {"screen": "big"}, headers={"host": host}).content.decode()


@override_settings(
    ROOM_ADDRESSES=["http://192.0.2.7:8000"], ALLOWED_HOSTS=["localhost", "127.0.0.1", "lab.test"]
)
def test_the_big_screen_shows_an_address_that_a_phone_reaches(client: Client) -> None:
    race = create_race(Choice("NOR"))
    for asked, shown in (
        ("127.0.0.1:8000", "192.0.2.7:8000"),
        ("localhost", "192.0.2.7:8000"),
        ("lab.test", "lab.test"),
    ):
        text = big_screen(client, race, asked)
        assert f"<b>{shown}<wbr>/j/{race.short_code}/</b>" in text
        assert 'class="qr"' in text


def test_big_screen_without_an_address(client: Client) -> None:
    text = big_screen(client, create_race(Choice("NOR")), "127.0.0.1:8000")
    assert "make run HOST=0.0.0.0" in text
    assert 'class="qr"' not in text


def test_only_who_started_it_and_staff_may_stop_a_race(client: Client) -> None:
    client.get("/")
    post(client, driver="NOR")
    race = Race.objects.get()
    url = f"/races/{race.pk}/stop/"
    assert Client().post(url).status_code == 403
    assert not Race.objects.get().stop_requested
    assert client.post(url).status_code == 303
    assert Race.objects.get().stop_requested
    Race.objects.update(stop_requested=False)
    staff = Client()
    staff.force_login(User.objects.create(username="marshal", is_staff=True))
    assert staff.post(url).status_code == 303


def test_only_who_may_stop_sees_the_button(client: Client) -> None:
    client.get("/")
    post(client, driver="NOR")
    race = Race.objects.get()
    action = f"/races/{race.pk}/stop/".encode()
    assert action in client.get(race.get_absolute_url()).content
    assert action not in Client().get(race.get_absolute_url()).content


def test_a_forged_client_cookie_is_no_client() -> None:
    mine = Client()
    mine.get("/")
    post(mine, driver="NOR")
    race = Race.objects.get()
    thief = Client()
    thief.cookies[COOKIE] = f"{race.client}:forged"
    assert thief.post(f"/races/{race.pk}/stop/").status_code == 403


def test_the_interface_names_grid_races_and_a_race(client: Client) -> None:
    assert len(client.get("/api/drivers/").json()["drivers"]) == 22
    race = create_race(Choice("PIA", circuit="monaco"))
    assert client.get("/api/races/").json()["races"][0]["id"] == str(race.pk)
    body = client.get(f"/api/races/{race.pk}/").json()
    assert (body["status"], body["leaderboard"], body["classification"]) == ("queued", [], [])
    assert client.get(f"/api/races/{uuid.uuid4()}/").status_code == 404


def test_list_loads_no_drawings(client: Client) -> None:
    create_race(Choice("NOR"))
    with CaptureQueriesContext(database) as asked:
        assert len(client.get("/api/races/").json()["races"]) == 1
    assert len(asked) == 2  # how many, and the page of them
    assert not any("frozen" in query["sql"] for query in asked)


def test_health_without_a_kafka_is_503_and_says_why(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    body = answer.json()
    assert body["database"]["ok"] is True
    assert "runlab" in body["kafka"]["error"]
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("path", ["/", "/races/", "/api/drivers/", "/healthz", "/nowhere/"])
def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    answer = client.get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_pages_have_no_inline_script_or_style(client: Client) -> None:
    race = create_race(Choice("NOR"))
    for path in ("/", "/races/", race.get_absolute_url()):
        text = client.get(path).content.decode()
        assert " style=" not in text
        assert "<style" not in text
        assert "onclick" not in text
        for tag in text.split("<script")[1:]:
            head = tag.split(">", 1)[0]
            assert "src=" in head or 'type="application/json"' in head


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("put", "/races/", "GET, POST, HEAD"),
        ("delete", "/races/", "GET, POST, HEAD"),
        ("patch", "/", "GET, HEAD"),
        ("post", "/livez", "GET, HEAD"),
        ("post", "/metrics", "GET, HEAD"),
        ("delete", "/api/races/", "GET, HEAD, POST"),
        ("post", "/lab/", "GET, HEAD"),
        ("put", "/races/00000000-0000-0000-0000-000000000000/stop/", "POST"),
        ("get", "/races/00000000-0000-0000-0000-000000000000/stop/", "POST"),
    ],
)
def test_405_names_the_allowed_methods(method: str, path: str, allowed: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert answer.status_code == 405
    assert set(answer["Allow"].split(", ")) == set(allowed.split(", "))  # their order says nothing


def test_whoever_asks_for_the_head_alone_is_answered(client: Client) -> None:
    assert client.head("/").status_code == 200


def test_wrong_host_is_one_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "DJANGO_ALLOWED_HOSTS" in answer.content.decode()
    check_one_warning(caplog)


def test_a_form_of_12_mb_is_too_much(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    form = b"driver=" + b"N" * 12_000_000
    assert client.post("/races/", form, "application/x-www-form-urlencoded").status_code == 413
    check_one_warning(caplog)


def test_a_schema_of_12_mb_is_too_much(
    kafka: Connection, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for size in (40_000, 12_000_000):
        answer = client.post("/registry/subjects/x/versions", b"{" * size, "text/plain")
        assert (answer.status_code, answer.json()["error_code"]) == (413, 413)
    assert not caplog.records


def check_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """What the log's own handler makes of it."""
    (handler,) = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    (record,) = [r for r in caplog.records if r.name.startswith("django.")]
    handler.filter(record)
    assert handler.format(record).count("\n") == 0
    assert record.levelname == "WARNING"


def test_the_registry_without_a_lab_says_so(client: Client) -> None:
    assert client.get("/registry/subjects").status_code == 503


def test_a_subject_may_have_signs(kafka: Connection, client: Client) -> None:
    """Its name is quoted once, and a quoted slash in it is no border: ASGI servers hand on the path as it was sent."""
    for name in ("a/b", "100%41", "ä ö"):
        path = f"/registry/subjects/{quote(name, safe='')}/versions"
        request = RequestFactory().post(path, json.dumps({"schema": '"string"'}), "text/plain")
        request.scope = {"raw_path": path.encode()}  # type: ignore[attr-defined]  # an ASGI server's
        assert registry(request, unquote(path).removeprefix("/registry/")).status_code == 200
    assert {"a/b", "100%41", "ä ö"} <= set(client.get("/registry/subjects").json())
    assert client.get("/registry/subjects/100%2541/versions").json() == [1]


def test_schemas_change_from_loopback_only(kafka: Connection, client: Client) -> None:
    subject = "/registry/subjects/f1-race-control-value"
    schema = json.dumps({"schema": '"string"'})
    assert client.delete(subject, REMOTE_ADDR="192.0.2.7").status_code == 403
    assert client.put("/registry/config", "{}", REMOTE_ADDR="192.0.2.7").status_code == 403
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert client.delete(subject, headers={name: "127.0.0.1"}).status_code == 403, (
            "a proxy on this machine"
        )
    assert (
        client.post(f"{subject}/versions", schema, "text/plain", HTTP_ORIGIN="http://x.test").status_code
        == 403
    )
    assert (
        client.post(f"{subject}/versions", schema, "text/plain", REMOTE_ADDR="192.0.2.7").status_code == 200
    )
    assert client.get("/registry/subjects", REMOTE_ADDR="192.0.2.7", HTTP_ORIGIN="http://x.test").json()
    assert client.delete(subject, HTTP_ORIGIN="http://x.test").status_code == 403
    assert client.delete(subject).status_code == 200


def test_json_bodies_parse(client: Client) -> None:
    for path in ("/api/drivers/", "/api/races/", "/healthz"):
        json.loads(client.get(path).content)
