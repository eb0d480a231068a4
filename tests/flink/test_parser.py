"""The statements and the guide's queries through the parser of a real Apache Flink.

All but CREATE CONNECTION, which only Confluent has.
"""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from bench.services.java import jars
from races.flink.statements import statements
from tests.docs.guide import blocks

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
MAIN = Path(__file__).with_name("ParseSql.java")
EXPECTED = {"table": "SqlCreateTable", "model": "SqlCreateModel", "query": "RichSqlInsert"}


def planner(folder: Path) -> Path:
    """Flink's loader carries the planner, and with it the parser, as a jar inside a jar."""
    (loader,) = jars("flink").glob("flink-table-planner-loader-*.jar")
    with zipfile.ZipFile(loader) as archive:
        return Path(archive.extract("flink-table-planner.jar", folder))


def parsed(folder: Path, texts: dict[str, str]) -> dict[str, str]:
    """Name to what the parser made of it, or refused."""
    files = [folder / name for name in texts]
    for file in files:
        file.write_text(texts[file.name])
    classes = f"{planner(folder)}:{jars('flink')}/*"
    command = ["java", "-cp", classes, str(MAIN), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def test_flinks_parser_takes_every_statement(tmp_path: Path) -> None:
    wanted = {s.name: EXPECTED[s.kind] for s in statements() if s.kind in EXPECTED}
    texts = {s.name: s.sql for s in statements() if s.name in wanted}
    guide = [b for b in blocks() if b.language == "sql" and not b.how.startswith("statement: ")]
    queries = {f"{block.file}-{block.line}": block.text.rstrip().rstrip(";") for block in guide}
    found = parsed(tmp_path, texts | queries | {"broken": "INSERT INTO `a` SELECT FROM"})
    assert found.pop("broken").startswith("refused")
    assert {name: found.pop(name) for name in wanted} == wanted
    assert found.keys() == queries.keys()
    taken = ("SqlSelect", "SqlOrderBy", "SqlCreateTable", "RichSqlInsert")
    assert {kind: name for name, kind in found.items() if kind not in taken} == {}
