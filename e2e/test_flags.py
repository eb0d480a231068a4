"""Flags take the room and move nothing; the finish has its moment and takes no focus."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import Lab
from e2e.watching import DEAF, watch

pytestmark = pytest.mark.browser
SIZES = ((1920, 1080), (1440, 900), (1024, 768), (768, 1024), (360, 740))
SEEN_OFTEN = {(1440, 900), (360, 740)}
WORDS = "Lap 2: Piastri stopped in sector 2, accident · a stop costs 10 s, not 21 · <b>in this lap</b>"
FLAGS = {"yellow": "Yellow", "vsc": "Virtual safety car", "safety_car": "Safety car", "red": "Red flag"}
RECEIVE = "async (message) => (await import('/static/races/board.js')).receive(message)"
# Where the tower stands, and which parts of the band are cut off or out of the view
LOOKED_AT = """() => {
  const band = document.getElementById('band');
  const box = band.getBoundingClientRect();
  const text = document.createRange();
  text.selectNodeContents(band);
  const words = text.getBoundingClientRect();
  const cut = box.height && (words.bottom > box.bottom + 1 || words.right > box.right + 1 || box.bottom > innerHeight);
  return { top: document.getElementById('rows').getBoundingClientRect().top, high: box.height, cut: Boolean(cut) };
}"""


@pytest.mark.parametrize(
    ("width", "height"),
    [size if size in SEEN_OFTEN else pytest.param(*size, marks=pytest.mark.full) for size in SIZES],
)
def test_a_flag_is_said_whole(page: Page, lab: Lab, race: str, width: int, height: int) -> None:
    """In every size: with its reason, and without moving the tower where there is room for it in the own line."""
    page.set_viewport_size({"width": width, "height": height})
    watch(page, lab, race)
    page.evaluate(DEAF)
    page.evaluate(RECEIVE, '<i id="st" class="race f-green l0" hidden></i><p id="band"></p>')
    before = page.evaluate(LOOKED_AT)
    for flag, name in FLAGS.items():
        state = f'<i id="st" class="race f-{flag} y2 l0" hidden></i>'
        pill = f'<b id="flag" class="f-{flag}">{name}</b><b id="bell">◆ 2<span> engine alarms</span></b>'
        page.evaluate(RECEIVE, f'{pill}{state}<p id="band"><strong>{name}</strong> <span>{WORDS}</span></p>')
        seen = page.evaluate(LOOKED_AT)
        assert seen["high"] >= 34, flag
        assert not seen["cut"], flag
        if width > 640:
            assert seen["top"] == before["top"], flag


def test_the_safety_car_is_on_the_map(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.evaluate(DEAF)
    car = page.locator(".dot.sc")
    expect(car).to_be_hidden()
    dots = page.text_content("#dots")
    page.evaluate(RECEIVE, f'<i id="dots" data-tick="9000" hidden>{dots} 4110</i>')
    expect(car).to_be_visible()
    page.evaluate(RECEIVE, f'<i id="dots" data-tick="9001" hidden>{dots}</i>')
    expect(car).to_be_hidden()


def test_the_finish_takes_no_focus(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.evaluate(DEAF)
    page.focus("#duel-a")
    page.evaluate(RECEIVE, '<i id="st" class="race f-green l0" hidden></i>')
    page.evaluate(RECEIVE, '<i id="st" class="flag f-chequered l0" hidden></i>')
    expect(page.locator("#moment")).to_contain_text(" wins")
    page.evaluate(
        RECEIVE, '<i id="st" class="over f-chequered l0" hidden></i><div id="result"><h2>X wins</h2></div>'
    )
    expect(page.locator("#finish")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "duel-a"
    expect(page.locator("#moment")).to_be_hidden()
    page.keyboard.press("Escape")  # from wherever the focus is
    expect(page.locator("#finish")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "duel-a"


def test_a_car_that_finishes_has_its_place(page: Page, lab: Lab, race: str) -> None:
    """Before its code on the map, where it rolls in."""
    watch(page, lab, race)
    page.evaluate(DEAF)
    entries = (page.text_content("#dots") or "").split()
    home = " ".join(f"{int(entry.rstrip('prf'))}f" for entry in entries)
    page.evaluate(RECEIVE, f'<i id="dots" data-tick="9000" hidden>{home}</i>')
    leader = page.locator("#rows tr").first.get_attribute("data-c")
    shown = page.locator(f".dot[data-c={leader}] span")
    assert shown.evaluate("(label) => getComputedStyle(label, '::before').content") == '"P1 "'
