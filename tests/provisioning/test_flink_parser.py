"""The statements through the parser of a real Apache Flink: all but CREATE CONNECTION, which only Confluent has."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from provisioning.flink import statements
from tests.integration.java import jars

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
MAIN = Path(__file__).with_name("ParseSql.java")
EXPECTED = {"table": "SqlCreateTable", "model": "SqlCreateModel", "query": "RichSqlInsert"}


def planner(folder: Path) -> Path:
    """Flink's loader carries the planner, and with it the parser, as a jar inside a jar."""
    (loader,) = jars("flink").glob("flink-table-planner-loader-*.jar")
    with zipfile.ZipFile(loader) as archive:
        return Path(archive.extract("flink-table-planner.jar", folder))


def test_flinks_own_parser_takes_every_statement(tmp_path: Path) -> None:
    wanted = {s.name: EXPECTED[s.kind] for s in statements() if s.kind in EXPECTED}
    broken = tmp_path / "broken"
    broken.write_text("INSERT INTO `a` SELECT FROM")
    files = [broken]
    for statement in statements():
        if statement.name in wanted:
            files.append(tmp_path / statement.name)
            files[-1].write_text(statement.sql)
    classes = f"{planner(tmp_path)}:{jars('flink')}/*"
    command = ["java", "-cp", classes, str(MAIN), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert found.pop("broken").startswith("refused")
    assert found == wanted
