"""What a reader's own settings change: more contrast, forced colours, a page at twice its size."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab
from e2e.watching import DEAF, watch

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["dark", pytest.param("light", marks=pytest.mark.full)])
def test_more_contrast_makes_pale_letters_plain(page: Page, lab: Lab, race: str, scheme: str) -> None:
    page.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
    watch(page, lab, race)
    colours = """() => ['.source', 'h2 small', '#rows .name'].map((part) =>
      getComputedStyle(document.querySelector(part)).color)"""
    ink = "getComputedStyle(document.body).color"
    assert set(page.evaluate(colours)) != {page.evaluate(ink)}
    page.emulate_media(contrast="more")
    assert set(page.evaluate(colours)) == {page.evaluate(ink)}


def test_forced_colours_leave_the_own_row_and_the_flag(page: Page, lab: Lab, race: str) -> None:
    """Grounds are taken away: an outline and a border say what they said."""
    page.emulate_media(forced_colors="active")
    watch(page, lab, race)
    outline = page.locator("#rows .own").evaluate("(row) => getComputedStyle(row).outline")
    assert "solid" in outline
    assert "3px" in outline
    border = page.locator(".flagpill b").evaluate("(pill) => getComputedStyle(pill).borderWidth")
    assert border == "2px"


def test_at_twice_the_size_the_race_is_still_there(chromium: Browser, lab: Lab, race: str) -> None:
    """A window of 1440 by 900 at 200 %: nothing scrolls sideways, and the header leaves the room to the race."""
    context = chromium.new_context(
        viewport={"width": 720, "height": 450}, device_scale_factor=2, reduced_motion="reduce"
    )
    page = context.new_page()
    watch(page, lab, race)
    page.evaluate(DEAF)
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    rows = page.locator("#rows tr").evaluate_all(
        "(rows) => rows.filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length"
    )
    assert rows >= 9
    assert page.locator(".head").evaluate("(head) => head.offsetHeight") <= 100
    expect(page.locator("#rows tr.own")).to_be_in_viewport()
    context.close()
