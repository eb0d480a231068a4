"""Paper is white: a page prints in its light colours, whatever the screen shows, and without buttons."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import Lab

pytestmark = pytest.mark.browser


def test_prints_in_light_colours(page: Page, lab: Lab) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{lab.address}/races/")
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(html).to_have_attribute("data-theme", "light")
    expect(page.locator(".tools")).to_be_hidden()
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(html).to_have_attribute("data-theme", "dark")
