"""History as files: every table as Parquet, CSV and JSON, of one race and of all, and the notebook that reads them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from races.models import Race
from races.models.creation import Choice, create_race
from races.report import parquet
from races.report.downloads import IDENTITY, TABLES
from tests.fakes.recorded import Recorded

pytestmark = pytest.mark.django_db
NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "history.ipynb"


@pytest.fixture
def two(django_user_model: Any) -> tuple[Race, Race]:
    """Two races of the past, and one that waits and is in no file."""
    create_race(Choice("HAM", circuit="spa"))
    return Recorded(anomaly=True, laps=3).race, Recorded(seed=2, laps=3).race


def read(content: bytes) -> list[dict[str, Any]]:
    import pandas as pd  # half a second, in each process that only collects

    rows: list[dict[str, Any]] = pd.read_parquet(io.BytesIO(content)).astype(object).to_dict("records")
    return [{name: None if pd.isna(value) else value for name, value in row.items()} for row in rows]


def content(client: Client, path: str) -> bytes:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


def test_parquet_holds_the_same_rows_as_json(client: Client, two: tuple[Race, Race]) -> None:
    report = json.loads(content(client, f"/races/{two[0].pk}/report.json"))
    for what, table in TABLES.items():
        rows = read(content(client, f"/races/{two[0].pk}/{what}.parquet"))
        assert [{name: row[name] for name in table.columns} for row in rows] == report[what], what
        assert all(row["race_id"] == str(two[0].pk) for row in rows)


def test_all_races_are_in_one_file(client: Client, two: tuple[Race, Race]) -> None:
    for what, table in TABLES.items():
        rows = read(content(client, f"/races/{what}.parquet"))
        lines = list(csv.reader(io.StringIO(content(client, f"/races/{what}.csv").decode())))
        assert tuple(lines[0]) == (*IDENTITY, *table.columns)
        assert len(rows) == len(lines) - 1 == sum(len(list(table.rows(race))) for race in two), what
        if what == "results":
            assert {row["race_id"] for row in rows} == {str(race.pk) for race in two}


def test_table_that_is_not_there_is_404(client: Client) -> None:
    race = create_race(Choice("NOR"))
    for path in ("/races/users.csv", "/races/users.parquet", f"/races/{race.pk}/laps.parquet"):
        assert client.get(path).status_code == 404, path


def test_without_pyarrow_it_says_what_to_install(
    client: Client, two: tuple[Race, Race], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(parquet, "is_available", lambda: False)
    answer = client.get("/races/laps.parquet")
    assert (answer.status_code, answer.content.decode().strip()) == (501, parquet.MISSING)
    assert "laps.parquet" not in client.get(two[0].get_absolute_url()).content.decode()
    with pytest.raises(CommandError, match=r"requirements-parquet\.lock"):
        call_command("export_races", to=tmp_path)


def exported(folder: Path, *arguments: str) -> set[str]:
    call_command("export_races", *arguments, to=folder, stdout=io.StringIO(), stderr=io.StringIO())
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_command_writes_every_format(two: tuple[Race, Race], tmp_path: Path) -> None:
    assert exported(tmp_path / "p") == {f"{what}.parquet" for what in TABLES}
    assert exported(tmp_path / "c", "--format=csv") == {f"{what}.csv" for what in TABLES}
    (name,) = exported(tmp_path / "j", str(two[1].pk), "--format=json")
    assert json.loads((tmp_path / "j" / name).read_text())["race"]["id"] == str(two[1].pk)


@pytest.mark.parametrize(
    ("given", "words"),
    [("monza", "ids look like"), ("00000000-0000-4000-8000-000000000000", "No race that has ended")],
)
def test_wrong_id_writes_nothing(given: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=words):
        exported(tmp_path / "none", given)
    assert not (tmp_path / "none").exists()


def test_notebook_runs(two: tuple[Race, Race], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cells run in their order, and each table that a cell ends with has rows."""
    exported(tmp_path / "history")
    monkeypatch.chdir(tmp_path)
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 5
    names: dict[str, Any] = {}
    for cell in cells:
        *lines, last = "".join(cell["source"]).splitlines()
        exec("\n".join(lines), names)
        assert len(eval(last, names)), last
