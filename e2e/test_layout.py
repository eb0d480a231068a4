"""What stands where on the live page: figures in their columns, rows above the strip, lights off the tower."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab
from e2e.watching import DEAF, watch

pytestmark = pytest.mark.browser

SIZES = ((1920, 1080), (1440, 900), (1366, 768), (1024, 768), (360, 740))

# The longest figures of each column, and by how much they are too long; names that are cut.
TOO_LONG = """(by) => {
  document.body.dataset.at = 'tower';
  document.body.classList.toggle('by-int', by === 'int');
  const longest = [['gap', '', '+1:28.888'], ['int', '', '+1:28.888'], ['int', 'near', '+0.888'],
    ['last', 'green', '1:28.888'], ['best', 'purple', '1:28.888'], ['s1', 'green', '28.888'],
    ['won', 'down', '▼18'], ['state', 'out', 'OUT']];
  const found = [];
  for (const [column, mark, words] of longest) {
    const cell = document.querySelector(`#rows .${column}`);
    const figure = cell.firstElementChild;
    [figure.className, figure.textContent] = [mark, words];
    if (!cell.offsetWidth) continue;
    const style = getComputedStyle(cell);
    const room = cell.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const wide = figure.getBoundingClientRect().width;
    if (wide > room + 1) found.push(`${column} ${words}: ${wide} in ${room}`);
  }
  const text = document.createRange();
  for (const name of document.querySelectorAll('#rows .name')) {
    text.selectNodeContents(name);
    const high = text.getBoundingClientRect().height - name.getBoundingClientRect().height;
    if (name.offsetWidth && (name.scrollWidth > name.clientWidth || high > 0)) found.push(name.textContent);
  }
  return found;
}"""
# Parts of a row that are not on its middle line, give or take two pixels
ASKEW = """() => {
  const badge = document.querySelector('#rows .state b');
  [badge.className, badge.textContent] = ['out', 'OUT'];
  const middle = (box) => (box.top + box.bottom) / 2;
  const row = badge.closest('tr');
  return [badge, row.querySelector('td.tyre b')].map((part) =>
    Math.abs(middle(part.getBoundingClientRect()) - middle(row.getBoundingClientRect()))).filter((off) => off > 2);
}"""
COVERED = """() => {
  document.getElementById('st').className = 'grid f-none l3';
  const lights = document.querySelector('.gantry').getBoundingClientRect();
  const rows = Array.from(document.querySelectorAll('#rows tr'), (row) => row.getBoundingClientRect());
  const beside = (row) => row.left >= lights.right || lights.left >= row.right;
  const under = (row) => !beside(row) && row.top < lights.bottom && lights.top < row.bottom;
  return rows.map((row, at) => (under(row) ? at + 1 : 0)).filter(Boolean);
}"""


@pytest.mark.parametrize("query", ["", pytest.param("?screen=big", marks=pytest.mark.full)])
def test_every_figure_has_room_in_its_column(page: Page, lab: Lab, race: str, query: str) -> None:
    watch(page, lab, race, query)
    page.evaluate(DEAF)
    for width, height in SIZES if not query else SIZES[:-1]:
        page.set_viewport_size({"width": width, "height": height})
        for by in ("gap", "int"):
            assert page.evaluate(TOO_LONG, by) == [], (width, by)
        if width > 640:
            assert page.evaluate(ASKEW) == [], width


def test_every_row_stands_above_the_strip(page: Page, lab: Lab, race: str) -> None:
    for width, height in ((1440, 900), (1366, 768), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        watch(page, lab, race)
        page.evaluate(DEAF)
        lowest = "#rows tr:last-child"
        page.locator(lowest).evaluate("(row) => row.classList.remove('own')")  # that one sticks
        foot: Any = page.locator(lowest).bounding_box()
        strip: Any = page.locator(".pipe").bounding_box()
        assert foot["y"] + foot["height"] <= strip["y"], width


@pytest.mark.parametrize("query", ["", pytest.param("?screen=big", marks=pytest.mark.full)])
def test_the_header_fits_at_every_width(page: Page, lab: Lab, race: str, query: str) -> None:
    watch(page, lab, race, query)
    page.evaluate(DEAF)
    page.evaluate(
        "document.querySelector('.title h1').firstChild.data = 'Mexico City ';"
        "document.querySelector('.flagpill b').textContent = 'Virtual safety car'"
    )
    for width in (360, 641, 768, 899, 900, 960, 1023, 1024):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


# What of the header and of the strip at the foot is cut off, out of the window or on one another
CUT_OFF = """() => {
  const found = [];
  for (const line of document.querySelectorAll('.title, .mine, .pipe ol')) {
    const parts = Array.from(line.children).filter((one) =>
      one.offsetWidth && !['absolute', 'fixed'].includes(getComputedStyle(one).position) && !one.matches('.ownline'));
    const boxes = parts.map((one) => [one, one.getBoundingClientRect()]).sort((a, b) => a[1].left - b[1].left);
    const name = (one) => `${line.className || 'strip'} ${one.className || one.textContent.trim().slice(0, 20)}`;
    const right = line.getBoundingClientRect().right;
    boxes.forEach(([one, box], k) => {
      if (box.left < 0 || box.right > Math.min(right, innerWidth) + 0.5) found.push(`${name(one)} is out of it`);
      if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth) found.push(`${name(one)} is cut off`);
      const next = boxes[k + 1]?.[1];
      if (next && box.right > next.left + 0.5 && box.bottom > next.top && next.bottom > box.top) {
        found.push(`${name(one)} lies on the next`);
      }
    });
  }
  return found;
}"""
FULL = """async () => {
  const { receive } = await import('/static/races/board.js');
  document.querySelector('.title h1').firstChild.data = 'Mexico City ';
  receive('<b id="lap">58</b><b id="clock">1:28:06</b><b id="bell">◆ 12<span> engine alarms</span></b>'
    + '<b id="flag" class="f-vsc">Virtual safety car</b><b id="fastest">VER 1:21.345</b><p id="band"></p>');
}"""


@pytest.mark.parametrize("font", [20, *(pytest.param(font, marks=pytest.mark.full) for font in (16, 24))])
def test_header_and_strip_are_whole_in_larger_letters(
    chromium: Browser, lab: Lab, race: str, font: int
) -> None:
    """With the browser's own letters of 16, 20 and 24 px, and the longest words that the header can have."""
    page = chromium.new_page(reduced_motion="reduce")
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": font}})
    cut = {}
    for width, height in ((1024, 768), (1440, 900), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        watch(page, lab, race)
        page.evaluate(DEAF)
        page.evaluate(FULL)
        cut[width] = page.evaluate(CUT_OFF)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            cut[width].append("the page scrolls sideways")
    page.close()
    assert cut == {1024: [], 1440: [], 1920: []}


def test_the_ring_around_a_code_is_whole(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.evaluate(DEAF)
    page.focus(".tools button:last-child")
    while not page.evaluate("document.activeElement.matches('#rows .code')"):
        page.keyboard.press("Tab")
    room = page.evaluate("""() => {
      const [code, style] = [document.activeElement, getComputedStyle(document.activeElement)];
      const ring = 2 * (parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth));
      return code.closest('th').clientHeight - code.offsetHeight - ring;
    }""")
    assert room >= 0


@pytest.mark.full
def test_the_lights_leave_the_first_rows_alone(page: Page, lab: Lab, race: str) -> None:
    for query in ("", "?screen=big"):
        watch(page, lab, race, query)
        page.evaluate(DEAF)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            covered = page.evaluate(COVERED)
            assert min(covered, default=99) > (10 if width < 900 else 22), (width, covered)


def test_the_systems_scheme_holds_first(chromium: Browser, lab: Lab) -> None:
    context = chromium.new_context(color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    page.goto(lab.address)
    theme = page.locator("html")
    expect(theme).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(theme).to_have_attribute("data-theme", "dark")
    page.click("[data-do=theme]")
    expect(theme).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="light")
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(theme).to_have_attribute("data-theme", "light")
    context.close()
