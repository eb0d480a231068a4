"""The architecture page draws what import-linter holds."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from tests.docs.guide import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def test_page_has_the_linters_floors() -> None:
    (layers,) = (its["layers"] for its in LINTER["contracts"] if its.get("containers") == ["races"])
    drawn = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert [rooms.replace("\\|", "|") for _, rooms in drawn] == layers
    assert [int(floor) for floor, _ in drawn] == list(range(len(layers), 0, -1))


def test_every_room_is_described() -> None:
    (layers,) = (its["layers"] for its in LINTER["contracts"] if its.get("containers") == ["races"])
    rooms = set(re.findall(r"\w+", " ".join(layers))) - {"urls", "forms", "templatetags"}
    assert {f"races/{room}" for room in rooms} <= set(re.findall(r"`(races/\w+)`", PAGE))


def test_circles_of_types_count() -> None:
    """Import-linter leaves imports under TYPE_CHECKING out only where it is told to."""
    assert LINTER["exclude_type_checking_imports"] is False
    (circles,) = (its for its in LINTER["contracts"] if its["type"] == "acyclic_siblings")
    assert set(circles["ancestors"]) == set(LINTER["root_packages"])


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/decisions.md", "CONTRIBUTING.md"])
def test_named_files_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:bench|f1site|provisioning|races|static|templates|tests)/[\w/.]+)`", text)
    gone = [path for path in named if not (ROOT / path).exists() and not (ROOT / f"{path}.py").exists()]
    assert named and not gone


@pytest.mark.skipif(
    not (ROOT / ".git").exists() or (ROOT / ".git" / "shallow").exists(), reason="no whole history here"
)
def test_ignored_revisions_exist() -> None:
    lines = (ROOT / ".git-blame-ignore-revs").read_text(encoding="utf-8").splitlines()
    for revision in (line for line in lines if line and not line.startswith("#")):
        done = subprocess.run(["git", "cat-file", "-e", f"{revision}^{{commit}}"], cwd=ROOT, check=False)
        assert done.returncode == 0, revision
