"""What the troubleshooting page quotes is what the lab says."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.docs.guide import GUIDE, ROOT

TEXT = (GUIDE / "11-troubleshooting.md").read_text(encoding="utf-8")
QUOTES = [quote for quote in re.findall(r"“([^”]+)”", TEXT.partition("| symptom")[2]) if quote != "…"]
SPOKEN = ("f1site", "races", "provisioning", "templates", "static/races")


@cache
def said() -> str:
    """All that code, templates and scripts say; a text over several lines of code is one."""
    files = [file for folder in SPOKEN for file in sorted((ROOT / folder).rglob("*")) if file.is_file()]
    code = "\n".join(file.read_text() for file in files if file.suffix in (".py", ".html", ".js"))
    return " ".join(re.sub(r'"\n\s*f?"', "", code).split())


@pytest.mark.parametrize("quote", QUOTES)
def test_quoted_messages_are_in_the_code(quote: str) -> None:
    for part in re.split(r" ?…|\d+", quote):
        assert part.strip() in said(), part


def test_symptoms_have_reason_and_remedy() -> None:
    rows = [line.split("|")[1:-1] for line in TEXT.splitlines() if line.startswith("| ")]
    assert len(rows) > 15
    assert all(len(row) == 3 and all(cell.strip() for cell in row) for row in rows)


def test_enough_is_quoted() -> None:
    assert len(QUOTES) >= 12
