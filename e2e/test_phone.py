"""The first screen of a phone: flag, map, newest words and the rows around the own car, all in one view."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import Lab
from e2e.watching import DEAF, watch

pytestmark = pytest.mark.browser

# Targets that a finger misses: too small, or on one another
TARGETS = """() => {
  const shown = Array.from(document.querySelectorAll('button, select, input, a.button, .bell'))
    .filter((one) => one.offsetWidth && !one.matches('.dot'));
  const small = shown.filter((one) => one.offsetHeight < 24 || one.offsetWidth < 44);
  const boxes = shown.map((one) => [one, one.getBoundingClientRect()]);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const fixed = (one) => one.closest('.bar, .head, .own');
  const apart = boxes.filter(([one]) => !fixed(one));
  const on = apart.filter(([one, box], k) => apart.slice(0, k).some(([, other]) => meet(box, other)));
  return [...small, ...on.map(([one]) => one)].map((one) => one.outerHTML.slice(0, 80));
}"""
# What of the first screen is not in view, between the header and the bar at the foot
OUT_OF_VIEW = """() => {
  const foot = document.querySelector('.bar').getBoundingClientRect().top;
  const parts = ['.flagpill b', '#own', '#map', '#commentary li', '#rows tr.close', '#rows tr.own'];
  return parts.filter((part) => {
    const box = document.querySelector(part)?.getBoundingClientRect();
    return !box || !box.height || box.top < 0 || box.bottom > foot;
  });
}"""


@pytest.mark.parametrize(("width", "height"), [(360, 740), (390, 844)])
def test_one_view_has_it_all(page: Page, lab: Lab, race: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    watch(page, lab, race)
    page.locator("#commentary li").first.wait_for(state="attached")
    page.evaluate(DEAF)
    assert page.evaluate(OUT_OF_VIEW) == []
    close = page.locator("#rows tr:visible")
    expect(close).to_have_count(7)
    own = page.locator("#rows tr.own")
    assert own.evaluate(
        "(row) => [row.previousElementSibling, row.nextElementSibling].every((one) => !one || one.offsetHeight)"
    )
    assert page.evaluate(TARGETS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("[data-do=whole]")
    expect(close).to_have_count(22)
    expect(page.locator("[data-tab-to=tower]")).to_have_attribute("aria-pressed", "true")


def test_an_alarm_shows_on_the_first_screen(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    watch(page, lab, race)
    page.evaluate(DEAF)
    page.evaluate("""async () => (await import('/static/races/board.js'))
      .receive('<b id="bell">◆ 2 engine alarms</b>')""")
    expect(page.locator(".bell")).to_be_in_viewport()
    before = page.locator("#map").bounding_box()
    page.evaluate("""async () => (await import('/static/races/board.js')).receive('<b id="bell"></b>')""")
    expect(page.locator(".bell")).to_be_hidden()
    assert page.locator("#map").bounding_box() == before, "nothing moves when an alarm comes or goes"


def test_a_phone_on_its_side_has_nine_rows(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 740, "height": 360})
    watch(page, lab, race)
    page.evaluate(DEAF)
    rows = page.locator("#rows tr").evaluate_all(
        "(rows) => rows.filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length"
    )
    assert rows >= 9
    expect(page.locator("#map")).to_be_in_viewport()


def test_a_tablet_has_a_low_header(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 768, "height": 1024})
    watch(page, lab, race)
    page.evaluate(DEAF)
    assert page.locator(".head").evaluate("(head) => head.offsetHeight") <= 72
