"""Every sentence of the README that claims something has a test or a benchmark behind it, by docs/claims.md."""

from __future__ import annotations

import re

import pytest

from bench.__main__ import names
from tests.docs.guide import ROOT

ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in (ROOT / "docs" / "claims.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| claim")
]
CODE, LINK, BOLD = r"```.*?```", r"!?\[([^\]]*)\]\([^)]*\)", r"\*\*[^*]*\.\*\*"
TEST = re.compile(r"`((?:tests|e2e)/[\w/]+\.py)::(\w+)`")


def plain(text: str) -> str:
    return " ".join(re.sub(LINK, r"\1", re.sub(CODE, "", text, flags=re.S)).replace("**", "").split())


README = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Where to go")[0]


def sentences() -> list[str]:
    """The sentences of the running text, without headings, pictures and tables."""
    kept = [line for line in README.splitlines() if not line.startswith(("#", "|", "![", "[More pictures]"))]
    text = re.sub(BOLD, "", "\n".join(kept))
    return [one for one in re.split(r"(?<=[.?]) (?=[A-Z`])|(?<=\.) - ", plain(text)) if len(one) > 15]


@pytest.mark.parametrize(("claim", "held_by"), ROWS, ids=[row[0][:50] for row in ROWS])
def test_claims_are_held(claim: str, held_by: str) -> None:
    assert claim in plain(README)
    tests, benches = TEST.findall(held_by), re.findall(r"`bench (\w+)`", held_by)
    assert tests or benches
    for file, name in tests:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name
    assert set(benches) <= names().keys()


@pytest.mark.parametrize("sentence", sentences())
def test_sentences_have_their_claims(sentence: str) -> None:
    assert any(claim in sentence for claim, _ in ROWS), sentence
