"""Replay, report and history in a real browser, of a race that a real lab has recorded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab, started

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def race(lab: Lab, chromium: Browser) -> str:
    """A finished race: its path."""
    path = started(lab, chromium, "laps=4&pace=20&seed=7&circuit=spielberg")
    deadline = time.monotonic() + 90
    while lab.get(f"/api{path}")["status"] != "finished":
        assert time.monotonic() < deadline, lab.output()
        time.sleep(0.3)
    return path


def replay(page: Page, lab: Lab, race: str, query: str = "") -> None:
    page.goto(f"{lab.address}{race}replay/{query}")
    page.locator("#play").wait_for()


def shown(page: Page) -> int:
    """The tick that the panels show."""
    return int(page.get_attribute("#dots", "data-tick") or -1)


def until(page: Page, what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not what():
        assert time.monotonic() < deadline, f"stands at tick {shown(page)}"
        page.wait_for_timeout(20)


def until_shown(page: Page, tick: int) -> None:
    until(page, lambda: shown(page) == tick)


def seek(page: Page, tick: int) -> None:
    """Moves the playhead as a hand does. What was asked for comes a moment later."""
    page.locator("#head").evaluate(
        "(head, at) => { head.value = at; head.dispatchEvent(new Event('input', { bubbles: true })); }", tick
    )


def top(page: Page, what: str) -> float:
    return float(page.locator(what).evaluate("(element) => element.getBoundingClientRect().top"))


def bottom(page: Page, what: str) -> float:
    return float(page.locator(what).evaluate("(element) => element.getBoundingClientRect().bottom"))


def last(page: Page) -> int:
    return int(page.get_attribute("#head", "max") or 0)


def test_space_plays_and_pauses(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race, "?tick=60")
    order = page.inner_text("#order")
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_have_attribute("aria-label", "Pause")
    until(page, lambda: shown(page) >= 75)
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_have_attribute("aria-label", "Play")
    stood = shown(page)
    page.wait_for_timeout(700)
    assert shown(page) == stood == int(page.input_value("#head"))
    assert f"tick={stood}" in page.url
    assert order


def test_keys_seek(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race, "?tick=50")
    for key, expected in (
        ("ArrowRight", 75),
        ("ArrowLeft", 50),
        ("Shift+ArrowRight", 51),
        ("Home", 0),
        ("End", last(page)),
    ):
        page.keyboard.press(key)
        until_shown(page, expected)


def test_the_newest_seek_wins(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race)
    for wish in (20, 90, 40, 70):
        seek(page, wish)
    until_shown(page, 70)
    page.wait_for_timeout(300)
    assert shown(page) == 70


def test_a_seek_shows_what_a_fresh_page_shows(page: Page, lab: Lab, race: str) -> None:
    places = "#tower b, #commentary li, #control li, #lap, #clock, #own"
    cells = f"[...document.querySelectorAll('{places}')].map((element) => element.textContent)"
    replay(page, lab, race, "?tick=30")
    page.select_option("#speed", "4")
    page.click("#play")
    until(page, lambda: shown(page) >= 70)
    page.click("#play")
    stood = shown(page)
    played = page.evaluate(cells)
    replay(page, lab, race, f"?tick={stood}")
    assert page.evaluate(cells) == played


def test_eight_times_needs_five_frames(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race, "?tick=10")
    page.evaluate(
        "window.frames_ = []; document.addEventListener('board:changed', () => frames_.push(performance.now()))"
    )
    page.select_option("#speed", "8")
    page.click("#play")
    until(page, lambda: shown(page) >= 90)
    times = page.evaluate("frames_")
    assert shown(page) - 10 >= 8 * (len(times) - 1)
    assert (times[-1] - times[0]) / max(len(times) - 1, 1) > 150


def test_half_speed_glides_longer(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race, "?tick=50")
    page.select_option("#speed", "0.5")
    page.click("#play")
    until(page, lambda: shown(page) >= 52)
    lasts = page.evaluate(
        "Array.from(document.querySelectorAll('.dot:not([hidden])'),"
        " (dot) => dot.getAnimations()[0].effect.getTiming().duration)"
    )
    assert lasts
    assert all(400 <= duration < 450 for duration in lasts)


def test_no_label_of_a_car_leaves_the_map(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    replay(page, lab, race)
    for at in range(36, last(page), 6):
        seek(page, at)
        until_shown(page, at)
        out = page.evaluate(
            """() => {
              const map = document.getElementById('panel-map').getBoundingClientRect();
              const labels = document.querySelectorAll('.dot:not([hidden], .mute) span');
              return Array.from(labels, (label) => label.getBoundingClientRect())
                .filter((label) => label.left < map.left || label.right > map.right).length;
            }"""
        )
        assert out == 0, f"at tick {at}"


# How many codes meet a sector's name; and 1 where the leader's lies on a car though another side was free
CODES = """() => {
  const boxes = (what) => Array.from(document.querySelectorAll(what), (one) => one.getBoundingClientRect());
  const meet = (a, b, by) =>
    a.left - by < b.right && b.left - by < a.right && a.top - by < b.bottom && b.top - by < a.bottom;
  const names = boxes('.sname');
  const map = document.getElementById('map').getBoundingClientRect();
  const codes = boxes('.dot:not([hidden], .mute) span');
  const lead = document.querySelector('.dot.lead');
  const label = lead.querySelector('span');
  const cars = boxes('.dot:not([hidden], .lead) .body');
  const others = [...names, ...cars, ...boxes('.dot:not([hidden], .mute, .lead) span')];
  const covers = cars.some((car) => meet(label.getBoundingClientRect(), car, -2));
  const chosen = lead.dataset.side;
  const free = ['n', 'e', 's', 'w'].filter((side) => {
    lead.dataset.side = side;
    const box = label.getBoundingClientRect();
    return box.left > map.left + 6 && box.right < map.right - 6 && !others.some((other) => meet(box, other, 7));
  });
  lead.dataset.side = chosen;
  return [codes.filter((code) => names.some((name) => meet(code, name, 0))).length, Number(covers && free.length > 0)];
}"""


def test_codes_keep_off_sectors_and_cars(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    replay(page, lab, race)
    for at in range(36, last(page), 6):
        seek(page, at)
        until_shown(page, at)
        assert page.evaluate(CODES) == [0, 0], f"at tick {at}"


# In every frame that plays: the labels that cover a sector's name or leave the map, and those that change their side
HELD = """() => {
  window.faults_ = [];
  let sides = new Map();
  document.addEventListener('board:changed', () => {
    const map = document.getElementById('panel-map').getBoundingClientRect();
    const names = Array.from(document.querySelectorAll('.sname'), (name) => name.getBoundingClientRect());
    const dots = Array.from(document.querySelectorAll('.dot:not([hidden], .mute, .lead, .own, .followed)'));
    for (const { dataset, lastElementChild } of dots) {
      const box = lastElementChild.getBoundingClientRect();
      const covers = names.some((name) =>
        box.left < name.right && name.left < box.right && box.top < name.bottom && name.top < box.bottom);
      if (covers) faults_.push(`${dataset.c} covers a sector's name`);
      if (box.left < map.left || box.right > map.right) faults_.push(`${dataset.c} leaves the map`);
      if (sides.has(dataset.c) && sides.get(dataset.c) !== dataset.side) faults_.push(`${dataset.c} changes its side`);
    }
    sides = new Map(dots.map(({ dataset }) => [dataset.c, dataset.side]));
  });
}"""


def test_labels_hold_still_and_keep_off(page: Page, lab: Lab, race: str) -> None:
    """From tick to tick a label stays where it is, or goes: it covers no sector's name even for a moment."""
    page.set_viewport_size({"width": 1024, "height": 768})
    replay(page, lab, race, "?tick=36")
    page.evaluate(HELD)
    page.click("#play")
    until(page, lambda: shown(page) >= 96)
    assert page.evaluate("faults_") == []


def test_the_result_opens_by_playing_only(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race)
    assert page.inner_text("#result") == ""
    page.keyboard.press("End")
    until(page, lambda: shown(page) == last(page))
    page.wait_for_timeout(1500)
    expect(page.locator("#finish")).not_to_be_visible()
    page.keyboard.press("ArrowLeft")
    until(page, lambda: shown(page) < last(page))
    expect(page.locator("#result")).to_be_empty()
    page.select_option("#speed", "4")
    page.click("#play")
    expect(page.locator("#finish")).to_be_visible(timeout=30_000)
    assert page.inner_text("#finish .go") == "Report", "a replay offers no replay"
    page.keyboard.press("Escape")
    expect(page.locator("a.ended")).to_be_hidden()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.inner_text("a.ended") == "Report"


def test_the_big_screen_keeps_the_tick(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race, "?tick=50")
    page.keyboard.press("b")
    page.wait_for_url(re.compile("tick=50.*screen=big"))
    assert shown(page) == 50
    expect(page.locator("#finish")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.locator("#result h2")).to_contain_text("wins")
    for width, height in ((1440, 900), (1024, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(200)
        assert bottom(page, "#rows tr:last-child") <= top(page, ".playbar"), "all rows above the playhead"
        assert bottom(page, ".map") <= top(page, "#finish"), "the result leaves the map alone"
        assert bottom(page, "#finish") <= top(page, "#panel-commentary")
    page.click("#finish .close")
    expect(page.locator("#finish")).to_be_hidden()
    page.reload()
    page.keyboard.press("Home")
    expect(page.locator("#finish")).to_be_hidden()
    page.click("text=Leave the big screen")
    page.wait_for_url(re.compile(r"\?tick=0$"))


def test_a_replay_says_that_it_is_one(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race, "?tick=50")
    expect(page.locator(".head .again")).to_be_in_viewport()
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 740})
        expect(page.locator(".playbar .at")).to_be_in_viewport()
        expect(page.locator(".playbar .at")).to_have_text(
            re.compile(r"^Replay\s+0:10$")
        )  # nor how long it is
    live = page.evaluate(
        "[...document.querySelectorAll('.playbar [aria-live], .playbar [role=status], .playbar output')].length"
    )
    assert live == 0


def test_a_silent_lab_is_named_and_retried(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race, "?tick=20")
    page.route("**/replay/*/on/**", lambda route: route.fulfill(status=404, body=""))
    page.click("#play")
    expect(page.locator("#conn")).to_have_text("The lab does not answer. Press play to try again.")
    page.unroute("**/replay/*/on/**")
    page.click("#play")
    until(page, lambda: shown(page) > 22)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("place", ["", "replay/?tick=60", "/races/"])
def test_axe_finds_nothing(page: Page, lab: Lab, race: str, place: str, theme: str) -> None:
    page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page.emulate_media(reduced_motion="reduce")
    page.goto(lab.address + (place if place.startswith("/") else race + place))
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [360, 1024, 1440])
@pytest.mark.parametrize("place", ["", "replay/?tick=60", "/races/"])
def test_nothing_scrolls_sideways(page: Page, lab: Lab, race: str, place: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(lab.address + (place if place.startswith("/") else race + place))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_report_is_whole_without_script(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 1024, "height": 800})
    page = context.new_page()
    page.goto(lab.address + race)
    assert page.locator("svg.plot").count() >= 4
    page.locator("details summary").nth(1).click()
    expect(page.locator("table.data").first).to_be_visible()
    page.check("input[name=drivers][value=BOT]")
    page.click(".choose button")
    assert "drivers=BOT" in page.url
    page.goto(lab.address + race + "replay/?tick=60")
    expect(page.locator("#rows tr")).to_have_count(22)
    context.close()


def test_the_report_writes_local_figures(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(locale="de-DE", viewport={"width": 1440, "height": 800})
    page = context.new_page()
    page.goto(lab.address + race)
    row = page.locator(".list.class tbody tr").nth(1)
    expect(row.locator("td").nth(3)).to_have_text(re.compile(r"^\+\d+,\d{3}$"))
    expect(row.locator("td").nth(4)).to_have_text(re.compile(r"^\d:\d\d,\d{3}$"))
    expect(page.locator(".chart .left text").first).not_to_contain_text(".")
    speed = float(row.locator("[data-kmh]").inner_text().replace(",", "."))
    page.click(".unit button")
    expect(page.locator(".unit")).to_have_text("mph")
    slow = float(row.locator("[data-kmh]").inner_text().replace(",", "."))
    assert abs(slow * 1.609344 - speed) < 0.2
    page.reload()
    expect(page.locator(".unit")).to_have_text("mph")
    page.goto(lab.address)
    expect(page.locator(".circuit span").first).to_have_text(re.compile(r"^\d,\d{3} km"))
    context.close()


def test_a_phone_goes_from_replay_to_report(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    replay(page, lab, race)
    page.get_by_role("link", name="Report").click()
    page.wait_for_url(re.compile(rf"{race}$"))


@pytest.mark.parametrize("width", [360, 390, 640, 641, 900])
def test_the_lights_leave_the_playhead_alone(page: Page, lab: Lab, race: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    replay(page, lab, race, "?tick=0")
    expect(page.locator(".gantry")).to_be_visible()
    assert bottom(page, ".gantry") <= top(page, ".playbar")


def test_words_have_the_local_decimal_mark(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(lab.address + race)
    expect(page.locator(".why").first).to_have_text(re.compile(r"4 laps in \d+:\d\d,\d{3}\."))
    context.close()
