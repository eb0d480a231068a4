"""A button that is pressed twice does what it says once."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import Lab

pytestmark = pytest.mark.browser


def races(lab: Lab) -> int:
    with urllib.request.urlopen(f"{lab.address}/api/races/") as answer:
        return len(json.load(answer)["races"])


def test_two_clicks_start_one_race(page: Page, lab: Lab) -> None:
    page.goto(lab.address)
    before = races(lab)
    page.locator("#go").dblclick(delay=10)
    expect(page).to_have_url(
        re.compile("/races/[^/]+/$")
    )  # the first of two answers is let go, which is no error
    assert races(lab) == before + 1
