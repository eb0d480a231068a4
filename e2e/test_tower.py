"""The tower in a real browser: no two figures of a row run into each other, and it can be copied."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from e2e.conftest import Lab
from e2e.watching import watch

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


@pytest.mark.parametrize("font", [16, 20, 24])
def test_no_two_figures_touch(chromium: Browser, lab: Lab, race: str, font: int) -> None:
    """At each size of window, with the browser's own letters of 16, 20 and 24 px."""
    page = chromium.new_page()
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
