"""The locks have each package of the short files, in its version and with hashes."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.guide import ROOT


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lock", ROOT / ".ci" / "lock.py")
    assert spec and spec.loader
    module = sys.modules["lock"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path in [*ROOT.glob("requirements*"), ROOT / "pyproject.toml"]:
        shutil.copy(path, tmp_path)
    return tmp_path


def test_locks_fit_as_they_are_shipped(lock: ModuleType) -> None:
    assert lock.problems(ROOT) == []


def test_another_version_is_named(
    lock: ModuleType, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = project / "requirements.txt"
    source.write_text(source.read_text().replace("PyYAML==6.0.3", "PyYAML==6.0.2") + "new-package==1.0\n")
    assert lock.main(["--check"], project) == 1
    said = capsys.readouterr().err
    assert "requirements.txt wants pyyaml 6.0.2, and requirements.lock has 6.0.3" in lock.problems(project)
    assert "new-package 1.0" in said and "make lock" in said


def test_a_missing_hash_is_named(lock: ModuleType, project: Path) -> None:
    path = project / "requirements.lock"
    path.write_text(path.read_text() + "zzz==1.0\n")
    assert lock.problems(project) == ["requirements.lock: zzz==1.0 has no hash"]


def test_the_list_for_uv_is_the_locks(lock: ModuleType, project: Path) -> None:
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace('"asgiref==', '"asgiref==9'))
    words = "pyproject.toml lists other versions than requirements-uvicorn.lock and requirements-parquet.lock"
    assert lock.problems(project) == [words]


def test_locks_name_no_host(lock: ModuleType) -> None:
    """Whoever installs takes the files from the index that their own pip or uv knows."""
    for name in lock.LOCKS:
        assert "://" not in (ROOT / name).read_text()


def test_each_direct_package_has_a_line_in_the_decisions(lock: ModuleType) -> None:
    text = (ROOT / "docs" / "decisions.md").read_text()
    section = text.partition("## Dependencies")[2].partition("\n## ")[0]
    first = " ".join(re.findall(r"(?m)^\| ([^|]+) \|", section))
    named = {lock.plain(word) for word in re.findall(r"[A-Za-z][\w-]+", first)}
    direct = {name for path in ROOT.glob("requirements*.txt") for name in lock.wanted(path)}
    assert direct - named == set()
