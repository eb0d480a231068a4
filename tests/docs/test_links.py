"""Every link of every document leads to a file and a heading that are there, in the repository and in the site."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from races.views.guide import documents, rendered
from tests.docs.guide import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"(?ms)^```.*?^```")


class Page(HTMLParser):
    """The ids and the links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        if tag == "a":
            self.links.add(found.get("href") or "")


@cache
def page(path: Path) -> Page:
    return Page(rendered(path))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_the_repository(path: Path) -> None:
    for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not heading or heading in page(target).ids, link


@pytest.mark.parametrize("name", documents(), ids=lambda name: name or "guide")
def test_links_of_the_site(client: Client, name: str) -> None:
    known = documents()
    for link in page(known[name]).links:
        address, _, heading = link.partition("#")
        if address.startswith("/lab/"):
            other = address.removeprefix("/lab/").rstrip("/")
            assert other in known, link
            assert not heading or heading in page(known[other]).ids, link
        elif not re.match(r"[a-z]+:", link) and not address:
            assert heading in page(known[name]).ids, link


def test_headings_have_ids() -> None:
    text = rendered(ROOT / "docs" / "reference.md")
    assert '<h2 id="environment">Environment</h2>' in text
