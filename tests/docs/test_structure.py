"""The structure script finds what it is to find, in a small project that has each fault once."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.guide import ROOT

CONTRACT = """
[[tool.importlinter.contracts]]
name = "arrows go down"
type = "layers"
containers = ["races"]
layers = ["views", "models", "sim | lib"]
"""
FILES = {
    "pyproject.toml": CONTRACT,
    "races/__init__.py": "",
    "races/urls.py": "from races.views import pages\n",
    "races/pruning.py": '"""Deletes old races."""\n',
    "races/views/__init__.py": "",
    "races/views/pages.py": "def _once(): ...\ndef _twice(): ...\n_once(), _twice(), _twice()\n",
    "races/models.py": "class Race: ...\n",
    "races/sim/__init__.py": "",
    "races/sim/car.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from races.sim.track import T\n",
    "races/sim/track.py": 'def length():\n    """Of the whole lap."""\n    from races.sim.car import C\n',
    "races/lib/__init__.py": "",
    "races/lib/clock.py": 'from races.models import R\ndef now():\n    """For a test, a fixed time is returned."""\n',
    "tests/test_a.py": "def test_one(): ...\n",
    "tests/test_b.py": "from tests.test_a import test_one\n\ndef test_another(): ...\n",
}


@pytest.fixture(scope="module")
def structure() -> ModuleType:
    """The script, which lies in no package."""
    spec = importlib.util.spec_from_file_location("structure", ROOT / ".ci" / "structure.py")
    assert spec and spec.loader
    module = sys.modules["structure"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("what", "places"),
    [
        ("modules at the root of races without a name of Django's", ["races/pruning.py"]),
        ("circles between files", ["races.sim.car <-> races.sim.track"]),
        ("imports that go up the layers", ["races.lib.clock -> races.models"]),
        ("tests that import another test module", ["tests.test_b -> tests.test_a"]),
        ("docstrings that are fragments", ["races/sim/track.py:1 Of the whole lap."]),
        ("private helpers called from one place, % of all functions", ["races/views/pages.py:1 _once"]),
    ],
)
def test_each_fault_is_found(structure: ModuleType, project: Path, what: str, places: list[str]) -> None:
    assert structure.measure(project)[what].places == places


def test_names_and_lengths_are_medians(structure: ModuleType, project: Path) -> None:
    figures = structure.measure(project)
    assert figures["characters of a test's name, median"].value == (len("test_one") + len("test_another")) / 2
    assert figures["lines of a function, median"].value == 1.5


def test_a_circle_of_packages(structure: ModuleType) -> None:
    """Two packages may import each other without any two files that do."""
    graph = {"a.x.one": {"a.y.one"}, "a.y.one": set(), "a.y.two": {"a.x.two"}, "a.x.two": set()}
    assert structure.package_circles(graph) == [["a.x", "a.y"]]
    assert structure.circles(graph) == []


def test_the_limit_ends_with_1(
    structure: ModuleType, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert structure.main([str(project)]) == 1
    assert "1  at most   0  circles between files  <-- beyond the limit" in capsys.readouterr().out
