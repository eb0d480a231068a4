"""Every test that the docs name as proof is one."""

from __future__ import annotations

import re

import pytest

from tests.docs.guide import ROOT

FAULTS = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`((?:tests|e2e)/[\w/]+\.py)::(\w+)`")
ROWS = [
    line
    for line in FAULTS.splitlines()
    if line.startswith("| ") and not line.startswith(("| fault", "| kind"))
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_faults_name_existing_tests(row: str) -> None:
    found = NAMED.findall(row)
    assert found
    for file, name in found:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_paragraphs_name_existing_tests() -> None:
    """Below the tables, each kind of fault in its surroundings names its tests."""
    paragraphs = FAULTS.partition("## Surroundings")[2].split("\n\n**")[1:]
    assert len(paragraphs) > 10
    for paragraph in paragraphs:
        words = " ".join(paragraph.split())
        found = NAMED.findall(words)
        assert found or "test_markers_are_no_lag" in words, words[:60]
        for file, name in found:
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name
