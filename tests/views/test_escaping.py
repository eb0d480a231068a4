"""Hostile names and messages in a race's history: on every page, in every download and in the admin they are text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import CharField, Model
from django.test import Client

from races.board.storage import pack_frames, unpack_frames
from races.models import Alarm, BoardChunk, InjectedFault, Race
from races.report import replay, replay_engines
from races.report.downloads import TABLES
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.registry.service import Registry
from tests.fakes.markup import HOSTILE, Markup
from tests.fakes.recorded import STARTED_MS, Recorded
from tests.streams.records import POSITION

pytestmark = pytest.mark.django_db
FORMULAS = ("=1+1", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", '=HYPERLINK("//evil.example","x")')
MODELS = [model for model in admin.site._registry if model._meta.app_label == "races"]
KEPT = {
    "slug",
    "status",
    "phase",
    "client",
    "lease_owner",
    "circuit",
}  # of the lab's own making, and asked for
CODES = {
    "driver_code",
    "other_code",
    "code",
    "tyre",
    "stints",
    "colour",
}  # short, and checked when they come in


def texts(model: type[Model]) -> list[CharField[Any, Any]]:
    fields = [field for field in model._meta.concrete_fields if type(field) is CharField]
    return [field for field in fields if field.name not in KEPT | CODES and not field.primary_key]


def poison(race: Race, text: str) -> None:
    """Every text column of the race and of the grid, and the names in its stored frames."""
    for model in MODELS:
        for row in model._default_manager.all():
            for field in texts(model):
                number = f"{row.pk} " if field.unique or field.name == "identity" else ""
                setattr(row, field.attname, f"{number}{text}"[: field.max_length])
            row.save()
    race.refresh_from_db()
    for car in race.frozen["cars"]:
        car["name"] = car["team"] = text
    race.frozen["circuit_name"] = race.frozen["country"] = text
    race.save()
    for chunk in BoardChunk.objects.filter(race=race):
        frames = unpack_frames(bytes(chunk.data))
        for frame in frames:
            for car in frame["cars"]:
                car["driver_name"] = car["team_name"] = text
        chunk.data = pack_frames(frames)
        chunk.save()
    replay.stored_frames.cache_clear()
    replay_engines.stored_engines.cache_clear()


@pytest.fixture
def race() -> Race:
    found = Recorded(laps=1, anomaly=True).race
    start = STARTED_MS + 200 * 50
    Alarm.objects.create(race=found, driver_code="NOR", start_ms=start, severity="high", kind="hot")
    InjectedFault.objects.create(
        race=found, driver_code="VER", kind="leak", start_tick=9, end_tick=60, size_c=5
    )
    return found


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("marshal"))
    return client


def pages(race: Race) -> list[str]:
    at = race.get_absolute_url()
    lists = {model: f"/admin/races/{model._meta.model_name}/" for model in MODELS}
    first = {model: model._default_manager.first() for model in MODELS}
    rows = [f"{lists[model]}{row.pk}/change/" for model, row in first.items() if row is not None]
    return [
        at, f"{at}?drivers=NOR&drivers=%3Cscript%3E", f"{at}replay/?tick=9", f"{at}replay/9/",
        f"{at}replay/99999/", "/races/", "/",
        *lists.values(), *rows, f"/admin/races/race/{race.pk}/delete/", "/admin/races/race/old/?keep=0",
    ]  # fmt: skip


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize(
    "texts", [HOSTILE[::4], pytest.param(HOSTILE, marks=pytest.mark.full)], ids=["every fourth", "all"]
)
def test_hostile_text_makes_no_markup(race: Race, staff: Client, texts: Sequence[str]) -> None:
    poison(race, "harmless")
    usual = {path: Markup(read(staff, path)) for path in pages(race)}
    assert all("harmless" in read(staff, path) for path in pages(race)[:1])
    for text in texts:
        poison(race, text.replace("\0", ""))  # which no database takes
        for path, plain in usual.items():
            page = read(staff, path)
            found = Markup(page)
            assert set(found.elements) <= set(plain.elements), (path, text)
            assert found.ids <= plain.ids, (path, text)
            new = found.addresses - plain.addresses  # filters of the admin's lists name what they look for
            assert all(re.match(r"[?/#]", one) and not re.search(r"//|[<>\"']", one) for one in new), (
                path,
                new,
            )
            assert "<" not in text or text not in page, (path, text)


def test_a_template_in_a_name_is_no_template(race: Race, staff: Client) -> None:
    poison(race, "{{ race.seed }}{% debug %}")
    for path in pages(race)[:2]:
        assert "{{ race.seed }}{% debug %}" in read(staff, path)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_download_is_a_formula(race: Race, client: Client, text: str) -> None:
    poison(race, text)
    for what, table in TABLES.items():
        answer = client.get(f"{race.get_absolute_url()}{what}.csv")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["X-Content-Type-Options"] == "nosniff"
        rows = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
        assert {len(row) for row in rows} == {len(table.columns)}
        cells = [cell for row in rows for cell in row]
        assert all(is_number(cell) or not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert f"'{text}" in client.get(f"{race.get_absolute_url()}commentary.csv").content.decode().replace(
        '""', '"'
    )


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell not in FORMULAS


def test_the_admins_export_has_no_formula_either(race: Race, staff: Client) -> None:
    poison(race, "=1+1")
    fields = {"action": "export_results", "_selected_action": [str(race.pk)]}
    answer = staff.post("/admin/races/race/", fields)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert {rows[0][name] for name in ("circuit", "driver_name", "team_name")} == {"'=1+1"}


def test_json_has_its_content_type(race: Race, client: Client) -> None:
    at = race.get_absolute_url()
    for text in (one.replace("\0", "") for one in HOSTILE):
        poison(race, text)
        for path in (f"{at}report.json", f"/api/races/{race.pk}/", f"{at}replay/9/on/"):
            answer = client.get(path)
            assert answer["Content-Type"].startswith("application/json")
            assert answer["X-Content-Type-Options"] == "nosniff"
            json.loads(answer.content)
        shown = client.get(f"/api/races/{race.pk}/").json()["classification"]
        assert text in {row["driver_name"] for row in shown}


def test_a_files_name_is_made_of_nothing_that_a_record_says(race: Race, client: Client) -> None:
    poison(race, 'a"; filename="evil.exe')
    for path in ("report.json", "results.csv"):
        told = client.get(race.get_absolute_url() + path)["Content-Disposition"]
        assert told.count('"') == 2
        assert "evil" not in told


@pytest.fixture
def codec() -> Codec:
    return Codec(embedded_settings("unused:1"), Registry())


TURNED = "Norris ‮stsaf si‬ \u2066and\u2069 \x9b31mred"


def told(codec: Codec) -> Iterator[tuple[str, Callable[[str], dict[str, Any]]]]:
    line = {"id": "1", "timestamp": STARTED_MS, "type": "info", "race_id": None}
    yield "commentary", lambda text: line | {"message": text}
    yield "positions", lambda text: POSITION | {"driver_name": text, "team_name": text}


def test_bidirectional_signs_are_taken_out(codec: Codec) -> None:
    """On a page it would write the rest of the line from right to left, in a terminal it would give orders."""
    for role, record in told(codec):
        found = codec.decode(role, codec.encode(role, record(TURNED)))
        shown = found.get("message") or found["driver_name"]
        assert shown == "Norris stsaf si and 31mred"
        whole = codec.decode(role, codec.encode(role, record("Pérez, Hülkenberg, محمد بن سليم 👩‍🔧")))
        assert "محمد بن سليم 👩‍🔧" in (whole.get("message") or whole["driver_name"])
