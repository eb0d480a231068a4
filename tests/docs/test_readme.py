"""The README's claims that are numbers are the code's numbers; its picture is one that the script makes."""

from __future__ import annotations

import re

from e2e.gallery import LIMIT, OUT, PICTURES
from races.sim import TICK_S, circuit_slugs, load_season
from races.streams.topics import TOPICS
from tests.docs.guide import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = " ".join(README.split())


def test_numbers_are_the_codes() -> None:
    assert f"race of {len(load_season().drivers)} cars" in PROSE
    assert f"There are {len(circuit_slugs())} circuits" in PROSE
    assert len(TOPICS) == 6
    assert "Six topics" in PROSE
    assert TICK_S == 0.2
    assert "five times a second" in PROSE


def test_python_version_is_the_projects() -> None:
    asked = re.search(r'requires-python = ">=([\d.]+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert asked
    assert f"Python {asked[1]} to 3.{int(asked[2]) - 1}" in README


def test_pictures_come_from_the_gallery() -> None:
    texts = [README, *(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))]
    named = {name for text in texts for name in re.findall(r"gallery/([\w-]+\.(?!md)\w+)", text)}
    assert named
    assert named <= {picture.name for picture in OUT.glob("*.webp")}


def test_gallery_is_whole_and_small() -> None:
    made = {picture.stem.rpartition("-")[0] for picture in OUT.glob("*.webp")}
    assert made == set(PICTURES)
    contents = (OUT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\((.+)\.webp\)", contents)) == {picture.stem for picture in OUT.glob("*.webp")}
    assert sum(file.stat().st_size for file in OUT.iterdir()) < LIMIT
