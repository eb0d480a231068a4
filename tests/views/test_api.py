"""The JSON interface: its answers fit its description, and scripts start races with a token."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from races.live.service import service
from races.models import ApiToken, Race, Result
from races.models.creation import Choice, create_race
from races.models.tokens import create_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def description(client: Client) -> dict[str, Any]:
    answer = client.get("/api/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def fits(description: dict[str, Any], path: str, body: object, status: str = "200") -> None:
    answer = description["paths"][path]["get"]["responses"][status]
    schema = answer["content"]["application/json"]["schema"] | {"components": description["components"]}
    Draft202012Validator(schema).validate(body)


def post(client: Client, body: object, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post("/api/races/", text, content_type="application/json", headers=headers)


def test_answers_fit_the_description(client: Client, description: dict[str, Any]) -> None:
    race = create_race(Choice("NOR"))
    for path in ("/api/drivers/", "/api/races/", "/api/races/{race_id}/", "/api/races/{race_id}/trace/"):
        fits(description, path, client.get(path.replace("{race_id}", str(race.pk))).json())
    missing = client.get(f"/api/races/{uuid.uuid4()}/")
    assert missing.status_code == 404
    fits(description, "/api/races/{race_id}/", missing.json(), "404")


def test_the_page_to_try_it_needs_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "//cdn" not in text and "swagger-ui-bundle.js" in text


def test_filters_and_pages(client: Client) -> None:
    for driver in ("NOR", "VER", "NOR"):
        create_race(Choice(driver))
    found = client.get("/api/races/?driver=nor&per_page=1&page=2").json()
    assert (found["count"], found["page"], found["pages"]) == (2, 2, 2)
    assert [race["driver_code"] for race in found["races"]] == ["NOR"]
    assert client.get("/api/races/?status=finished").json()["races"] == []


def test_the_average_of_an_ended_race_is_that_of_its_report(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one may come after the last frame, which says an older one."""
    race = create_race(Choice("NOR"))
    names = list(race.entries.values_list("driver_name", flat=True)[:2])
    frame = {
        "tick": 9,
        "lap": 1,
        "cars": [{"driver_name": name, "average_speed_kmh": 223.028} for name in names],
    }
    monkeypatch.setattr(service(), "frame", lambda race_id: frame)
    Result.objects.create(
        race=race,
        position=1,
        driver_code="VER",
        driver_name=names[0],
        average_speed_kmh=222.805,
        status="finished",
    )

    def averages() -> list[float]:
        cars = client.get(f"/api/races/{race.pk}/").json()["leaderboard"]
        return [car["average_speed_kmh"] for car in cars]

    assert averages() == [223.028, 223.028], "it runs: the newest is right"
    Race.objects.update(status="finished")
    assert averages() == [222.805, 223.028]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("page=9", 404, "There is no page 9; the last one is 1."),
        ("page=0", 422, "'page'"),
        ("page=x", 422, "'page'"),
        ("per_page=1000", 422, "'per_page'"),
        ("status=lost", 422, "'status'"),
    ],
)
def test_a_wrong_question(client: Client, query: str, status: int, words: str) -> None:
    answer = client.get(f"/api/races/?{query}")
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_a_script_starts_a_race(client: Client) -> None:
    answer = post(client, {"driver": "nor", "circuit": "spa", "laps": 3, "seed": 7}, create_token("script"))
    assert answer.status_code == 201
    race = Race.objects.get()
    assert answer["Location"] == f"/api/races/{race.pk}/"
    assert (race.driver_code, race.circuit, race.laps, race.seed) == ("NOR", "spa", 3, 7)
    assert race.client == ApiToken.objects.get().client


def test_a_token_has_the_limits_of_a_browser(client: Client, settings: Any) -> None:
    settings.F1_MAX_RACES_PER_CLIENT = 1
    token = create_token("script")
    assert post(client, {"driver": "NOR"}, token).status_code == 201
    refused = post(client, {"driver": "NOR"}, token)
    assert refused.status_code == 429
    assert "You have 1 races running" in refused.json()["error"]


@pytest.mark.parametrize("token", ["", "f1_wrong", "x" * 9000])
def test_without_a_right_token_nothing_starts(client: Client, token: str) -> None:
    answer = post(client, {"driver": "NOR"}, token)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "create_api_token" in answer.json()["error"]
    assert not Race.objects.exists()


def test_an_expired_token_says_since_when(client: Client) -> None:
    token = create_token("script", days=1)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    answer = post(client, {"driver": "NOR"}, token)
    assert answer.status_code == 401
    assert "expired on 20" in answer.json()["error"]
    assert not Race.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ("{", 400, None),
        ("[]", 422, "body"),
        ({}, 422, "driver"),
        ({"driver": "ZZZ"}, 422, "driver"),
        ({"driver": "NOR", "laps": 999}, 422, "laps"),
        ({"driver": "NOR", "pace": "fast"}, 422, "pace"),
        ({"driver": "NOR", "colour": "red"}, 422, "colour"),
        ({"driver": "N" * 500}, 422, "driver"),
    ],
)
def test_a_wrong_body_names_its_field(client: Client, body: object, status: int, field: str | None) -> None:
    answer = post(client, body, create_token("script"))
    assert answer.status_code == status
    assert answer.json().get("field") == field
    assert answer.json()["error"]
    assert not Race.objects.exists()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_api_token", *arguments, stdout=out)
    return out.getvalue()


def test_a_token_is_shown_once_and_stored_as_its_digest() -> None:
    said = run("script", "--days", "7")
    token = next(word for word in said.split() if word.startswith("f1_"))
    assert token not in str(list(ApiToken.objects.values()))
    listed = run("--list")
    assert "script" in listed and token not in listed
    assert "refused from now on" in run("script", "--revoke")
    assert "no token yet" in run("--list")


@pytest.mark.parametrize(
    "arguments",
    [(), ("a" * 81,), ("script", "--days", "0"), ("script", "--days", "nan"), ("none", "--revoke")],
)
def test_a_wrong_call_of_the_command(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


def test_a_name_is_taken_once() -> None:
    run("script")
    with pytest.raises(CommandError, match="already"):
        run("script")
