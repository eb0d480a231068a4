"""The tower in a real browser: no two figures of a row run into each other, and it can be copied."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab
from e2e.replaying import RECEIVE
from e2e.watching import DEAF, watch

pytestmark = pytest.mark.browser

# The longest figures that a row can have, and the gaps between the glyph boxes of what stands beside each other.
NEAREST = """() => {
  const longest = [['pos', '', '22'], ['won', 'down', '▼18'], ['state', 'out', 'OUT'], ['gap', '', '+1:28.888'],
    ['int', 'near', '+8.888'], ['last', 'green', '1:28.888'], ['best', 'purple', '1:28.888'],
    ['s1', 'green', '28.888'], ['s2', 'purple', '28.888'], ['s3', '', '28.888']];
  const row = document.querySelector('#rows tr:not(.own)');
  for (const [column, mark, words] of longest) {
    const figure = row.querySelector(`.${column} b`);
    [figure.className, figure.textContent] = [mark, words];
  }
  row.querySelectorAll('.visually-hidden').forEach((words) => words.remove());
  const boxes = [];
  for (const cell of row.cells) {
    if (!cell.offsetWidth) continue;
    const range = document.createRange();
    range.selectNodeContents(cell);
    const parts = [...range.getClientRects(), ...Array.from(cell.querySelectorAll('svg, b, button'), (one) =>
      one.getBoundingClientRect())].filter((box) => box.width && box.height > 2);
    if (!parts.length) continue;
    const [left, right] = [Math.min(...parts.map((box) => box.left)), Math.max(...parts.map((box) => box.right))];
    const clip = cell.getBoundingClientRect();
    const clipped = cell.className === 'name';
    const [from, to] = clipped ? [Math.max(left, clip.left), Math.min(right, clip.right)] : [left, right];
    boxes.push([cell.className, from, to]);
  }
  const near = [];
  for (let n = 1; n < boxes.length; n += 1) {
    const apart = boxes[n][1] - boxes[n - 1][2];
    if (apart < 7.9) near.push(`${boxes[n - 1][0]}|${boxes[n][0]}: ${apart.toFixed(1)}`);
  }
  const table = document.getElementById('tower');
  if (table.getBoundingClientRect().right > table.parentElement.getBoundingClientRect().right) near.push('too wide');
  return near;
}"""


@pytest.mark.parametrize("font", [20, *(pytest.param(font, marks=pytest.mark.full) for font in (16, 24))])
def test_no_two_figures_touch(chromium: Browser, lab: Lab, race: str, font: int) -> None:
    """At each size of window, with the browser's own letters of 16, 20 and 24 px."""
    page = chromium.new_page(reduced_motion="reduce")
    client = page.context.new_cdp_session(page)
    client.send("Page.setFontSizes", {"fontSizes": {"standard": font}})
    near = {}
    for width, height in ((1024, 768), (1440, 900), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        watch(page, lab, race)
        near[width] = page.evaluate(NEAREST)
    page.close()
    assert near == {1024: [], 1440: [], 1920: []}


def test_a_copied_tower_is_a_table(page: Page, lab: Lab, race: str) -> None:
    """22 lines of 14 columns, as a spreadsheet takes them."""
    page.set_viewport_size({"width": 1600, "height": 900})
    watch(page, lab, race)
    copied = page.evaluate("""() => {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById('rows'));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      return getSelection().toString();
    }""")
    lines = [line for line in copied.split("\n") if line.strip()]
    assert len(lines) == 22
    assert {line.count("\t") for line in lines} == {13}


def test_gaps_can_be_seen_from_the_own_car(page: Page, lab: Lab, race: str) -> None:
    """G again: the car ahead is less than nothing, and a followed car takes the own one's place."""
    watch(page, lab, race)
    page.evaluate(DEAF)
    for code, gap in (("NOR", "+4.000"), ("VER", "+2.500"), ("PIA", "+5.250")):
        page.evaluate(RECEIVE, f'<b id="gap-{code}">{gap}</b>')
    page.keyboard.press("g")
    page.keyboard.press("g")
    expect(page.locator("[data-gap=rel]")).to_have_attribute("aria-pressed", "true")

    def seen(code: str) -> str | None:
        return page.locator(f"#row-{code} .gap").get_attribute("data-rel")

    assert [seen(code) for code in ("NOR", "VER", "PIA")] == ["—", "-1.500", "+1.250"]
    page.click("button[data-follow=VER]")
    page.evaluate(RECEIVE, '<b id="gap-NOR">+4.500</b>')
    assert [seen(code) for code in ("VER", "NOR")] == ["—", "+2.000"]


def test_the_tab_says_where_the_car_is(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    expect(page).to_have_title(re.compile(r"^P\d+ NOR, lap \d+ · Monza, 53 laps"))
    page.click("button[data-follow=HAM]")
    expect(page).to_have_title(re.compile(r"^P\d+ HAM, lap \d+ · "))


def test_race_control_shows_what_matters(page: Page, lab: Lab, race: str) -> None:
    """What every car does, stops and the flag, is behind a box."""
    watch(page, lab, race)
    page.evaluate(DEAF)
    items = "".join(
        f'<li class="k-{kind}"><time>L2</time><span>{kind}</span></li>'
        for kind in ("pit_in", "pit_out", "finish", "safety_car")
    )
    page.evaluate(RECEIVE, f'<ol id="control">{items}</ol>')
    lines = page.locator("#control li:visible")
    expect(lines).to_have_text(["L2safety_car"])
    page.check("#routine")
    expect(lines).to_have_count(4)
