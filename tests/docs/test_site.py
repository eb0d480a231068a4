"""The guide in the running site."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from races.views.guide import documents

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", list(documents()))
def test_pages_are_readable_and_linked(client: Client, name: str) -> None:
    answer = client.get(f"/lab/{name}/" if name else "/lab/")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert " style=" not in text
    assert "<script>" not in text
    assert "<th></th>" not in text
    for target in set(re.findall(r'href="(/lab/[^"#]*)"', text)):
        assert client.get(target).status_code == 200, target
    assert not re.findall(
        r'href="[^"]*\.md"', text.replace("CONTRIBUTING.md", "").replace("CHANGELOG.md", "")
    )
    prose = re.sub(r"<(pre|code|script|style)\b.*?</\1>|<!--.*?-->", "", text, flags=re.S)
    assert not re.findall(r"`|\*\*|\]\(", prose), "Markdown that was not rendered"


def test_unknown_page_is_404(client: Client) -> None:
    assert client.get("/lab/nothing/").status_code == 404
