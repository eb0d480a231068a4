"""Looking inside, in a browser: the drawer by key, by click, by button; the stream; the own race; charts by keys."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab, started
from e2e.watching import until_tick, watch
from tests.fakes.waiting import wait_for

pytestmark = pytest.mark.browser


def test_a_key_shows_the_newest_position(page: Page, lab: Lab, race: str) -> None:
    """Partition, offset and key of the own driver's newest position are one key away."""
    watch(page, lab, race)
    page.mouse.move(0, 0)
    page.keyboard.press("i")
    drawer = page.locator("#record")
    expect(drawer.locator(".place")).to_be_visible()
    words = drawer.inner_text()
    assert re.search(r"partition\s+\d", words)
    assert re.search(r"offset\s+\d", words)
    assert race.split("/")[2] in words
    assert "f1-driver-positions" in words
    drawer.get_by_role("button", name="S1", exact=True).click()
    expect(drawer.locator(".marked th")).to_have_text("sector_1_s")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_alt_and_click_shows_the_cells_record(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.locator("#last-NOR").click(modifiers=["Alt"])
    expect(page.locator("#record .marked th")).to_have_text("last_lap_s")
    page.keyboard.press("Escape")
    page.locator(".row [data-cell], .column [data-cell]").first.click(modifiers=["Alt"])
    expect(page.locator("#record .marked th")).to_have_text("message")


def test_a_button_shows_it_as_well(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.get_by_role("button", name="Look inside").click()
    expect(page.locator("#record .place")).to_be_visible()


def test_the_words_can_be_on_the_own_race(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    until_tick(page, 40)
    story, talk = page.locator("#story"), page.locator("#commentary")
    expect(talk).to_be_visible()
    page.keyboard.press("y")
    expect(story.locator("li").last).to_contain_text("Off the line from P")
    expect(talk).to_be_hidden()
    page.reload()
    expect(story).to_be_visible()
    page.get_by_role("button", name="Everybody").click()
    expect(story).to_be_hidden()


def test_records_come_until_they_are_paused(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.goto(f"{lab.address}{race}stream/?topic=positions")
    first = page.locator(".records tbody tr td").first
    expect(first).to_have_text(re.compile(r"\d+@\d+"))
    before = first.inner_text()
    expect(first).not_to_have_text(before)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.locator(".records a").first.click()
    expect(page.locator(".fields")).to_be_visible()


@pytest.mark.parametrize("secure", [True, pytest.param(False, marks=pytest.mark.full)])
def test_each_record_can_be_copied(page: Page, lab: Lab, race: str, secure: bool) -> None:
    """A button copies a record, also where the browser gives no clipboard: over plain HTTP from another machine."""
    if secure:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    watch(page, lab, race)
    page.goto(f"{lab.address}{race}stream/?topic=positions&find=NOR")
    page.get_by_role("button", name="Pause", exact=True).click()
    row = page.locator(".records tbody tr").first
    expect(row).to_contain_text("NOR")
    row.get_by_role("button", name="Copy").click()
    expect(row.locator(".copy")).to_have_text("Copied")
    value = json.loads(row.locator(".value span").text_content() or "")
    assert value["driver_code"] == "NOR"
    page.fill("[name=find]", "")
    page.locator("[name=find]").press("ControlOrMeta+v")
    pasted = page.input_value("[name=find]")
    assert json.dumps(value, ensure_ascii=False).startswith(pasted)
    assert len(pasted) == 40, "as much of it as the field takes"


@pytest.fixture(scope="module")
def over(lab: Lab, chromium: Browser) -> str:
    """A short race that is over and recorded: its path."""
    path = started(lab, chromium, "laps=12&pace=60&seed=3&circuit=spielberg")
    wait_for(lambda: lab.get(f"/api{path}")["status"] == "finished", "the race is in the history", 90)
    return path


def test_a_chart_is_read_by_keys(page: Page, lab: Lab, over: str) -> None:
    """Values of a lap, from the chart's own table."""
    page.goto(lab.address + over)
    sheet = page.locator(".sheet", has=page.locator("#h-gaps"))
    sheet.locator(".plot").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    reading = sheet.locator(".reading")
    expect(reading).to_have_text(re.compile(r"^Lap 2: [A-Z]{3} "))
    page.keyboard.press("ArrowLeft")
    expect(reading).to_have_text(re.compile(r"^Lap 1: "))


SAY = """([kind, codes, text]) => {
  const line = document.createElement('li');
  line.className = `k-${kind}`;
  if (codes) line.dataset.lit = codes;
  line.innerHTML = `<span>${text}</span>`;
  document.dispatchEvent(new CustomEvent('board:said', { detail: line }));
}"""


def test_words_point_at_their_cars(page: Page, lab: Lab, over: str) -> None:
    """Never more than one spotlight: a bold line replaces a lighter one, which does not replace it in turn."""
    page.clock.install()
    page.goto(f"{lab.address}{over}replay/?tick=40")
    page.locator("#rows tr").first.wait_for()
    rows, dots, banner = page.locator("#rows .spot"), page.locator(".dot.spot"), page.locator(".banner")

    def lit() -> list[str]:
        codes = rows.evaluate_all("rows => rows.map((row) => row.dataset.c).sort()")
        assert codes == dots.evaluate_all("dots => dots.map((dot) => dot.dataset.c).sort()")
        return list(codes)

    page.evaluate(SAY, ["info", "NOR RUS", "Norris and Russell"])
    assert lit() == ["NOR", "RUS"]
    expect(banner).to_be_hidden()
    page.evaluate(SAY, ["highlight", "HAM", "Hamilton leads"])
    assert lit() == ["HAM"]
    expect(banner).to_have_text("Hamilton leads")
    page.evaluate(SAY, ["info", "ALB", "Albon"])
    assert lit() == ["HAM"]
    page.clock.run_for(3100)
    assert lit() == []
    expect(banner).to_be_hidden()
    page.evaluate(SAY, ["info", "ALB SAI GAS", "three of them"])
    assert len(lit()) == 3
    page.clock.run_for(2600)
    assert lit() == []
