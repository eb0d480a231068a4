"""The audit of packages in CI: what is found fails, what cannot be looked up is said and holds nothing up."""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from tests.docs.guide import ROOT

AUDIT = runpy.run_path(str(ROOT / ".ci" / "audit.py"))
FLAW = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": "bad"}
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
FLAWED = {"name": "flawed", "version": "1.0", "vulns": [FLAW]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ({"pypi": [SOUND]}, 0, ["audit: 1 packages, 0 flaws"]),
        (
            {"pypi": [SOUND, FLAWED, UNKNOWN]},
            1,
            ["flawed 1.0: PYSEC-1, mended in 2.0", "audit: 2 packages, 1 flaws, 1 unknown to pypi"],
        ),
        (
            {"pypi": [UNKNOWN], "osv": [FLAWED]},
            1,
            ["flawed 1.0: PYSEC-1, mended in 2.0", "audit: 1 packages, 1 flaws"],
        ),
        (
            {"pypi": [UNKNOWN]},
            0,
            ["audit: not done, no service for known vulnerabilities answered from here"],
        ),
        ({}, 0, ["audit: not done, no service for known vulnerabilities answered from here"]),
    ],
    ids=["sound", "flawed", "only the second knows", "none known", "no answer"],
)
def test_flaw_fails_and_silence_is_said(answers: dict[str, Any], code: int, said: list[str]) -> None:
    assert AUDIT["verdict"](lambda service: answers.get(service, [])) == (code, said)


def test_no_answer_is_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AUDIT["ask"].__globals__, "REQUIREMENTS", ROOT / "none.txt")
    assert AUDIT["ask"]("pypi") == []


def test_ci_runs_it() -> None:
    assert "make audit" in (ROOT / ".ci" / "run").read_text()
    assert "$(BIN)/python .ci/audit.py" in (ROOT / "Makefile").read_text()
