"""Replay, report and history in a real browser, of a race that a real lab has recorded."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab
from e2e.replaying import last, recorded, replay, seek, shown, until, until_shown

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def race(lab: Lab, chromium: Browser) -> str:
    """A finished race: its path."""
    return recorded(lab, chromium, "laps=4&pace=20&seed=7&circuit=spielberg")


def top(page: Page, what: str) -> float:
    return float(page.locator(what).evaluate("(element) => element.getBoundingClientRect().top"))


def bottom(page: Page, what: str) -> float:
    return float(page.locator(what).evaluate("(element) => element.getBoundingClientRect().bottom"))


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


@pytest.mark.motion
@pytest.mark.full
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


def marks(page: Page) -> list[int]:
    """The ticks of the timeline's marks."""
    found: list[int] = page.evaluate(
        "Array.from(document.querySelectorAll('.marks a'), (link) => Number(link.getAttribute('href').split('=')[1]))"
    )
    return found


def test_keys_go_from_event_to_event(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race)
    ticks = sorted(set(marks(page)) - {0})
    for tick in ticks:
        page.keyboard.press("n")
        until_shown(page, tick)
    page.keyboard.press("Shift+N")
    until_shown(page, ticks[-2])
    expect(page.locator("#since")).to_be_hidden()
    page.keyboard.press("End")
    until_shown(page, last(page))
    expect(page.locator("#since")).to_have_text(re.compile(r"^Since \d+:\d\d: .+"))


def test_a_mark_seeks_to_its_event(page: Page, lab: Lab, race: str) -> None:
    replay(page, lab, race)
    for place, tick in list(enumerate(marks(page)))[-2:]:
        page.locator(".marks a .hit").nth(place).dispatch_event("click")
        until_shown(page, tick)


def test_the_playhead_of_a_phone_is_long(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    replay(page, lab, race)
    assert page.locator("#head").evaluate("(head) => head.offsetWidth") >= 300


@pytest.mark.motion
def test_rows_step_where_they_would_pass_in_a_crowd(page: Page, lab: Lab, race: str) -> None:
    """Two rows glide past each other; many at once, or at more than twice the speed, are at their places at once."""
    replay(page, lab, race, "?tick=60")
    swapped = """async (many) => {
      const { receive } = await import('/static/races/board.js');
      const codes = Array.from(document.getElementById('rows').children, (row) => row.dataset.c);
      const order = many ? codes.slice().reverse() : [codes[1], codes[0], ...codes.slice(2)];
      receive(`<i id="order" hidden>${order.join(' ')}</i>`);
      return document.getAnimations().filter((one) => one.effect.target.matches?.('#rows tr')).length;
    }"""
    assert page.evaluate(swapped, False) == 2
    assert page.evaluate(swapped, True) == 0
    page.select_option("#speed", "4")
    assert page.evaluate(swapped, False) == 0


@pytest.mark.full
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
    expect(page.locator("#finish")).to_be_hidden()
    expect(page.locator("a.ended")).to_be_hidden()
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator("a.ended")).to_be_visible()
    assert page.inner_text("a.ended") == "Report"


@pytest.mark.full
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


@pytest.mark.parametrize("theme", ["dark", pytest.param("light", marks=pytest.mark.full)])
@pytest.mark.parametrize(
    "place",
    [
        pytest.param("", marks=pytest.mark.full),
        "replay/?tick=60",
        pytest.param("/races/", marks=pytest.mark.full),
    ],
)
def test_axe_finds_nothing(page: Page, lab: Lab, race: str, place: str, theme: str) -> None:
    page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page.emulate_media(reduced_motion="reduce")
    page.goto(lab.address + (place if place.startswith("/") else race + place))
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(
    "width", [360, *(pytest.param(wide, marks=pytest.mark.full) for wide in (1024, 1440))]
)
@pytest.mark.parametrize("place", ["", "replay/?tick=60", "/races/"])
def test_nothing_scrolls_sideways(page: Page, lab: Lab, race: str, place: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(lab.address + (place if place.startswith("/") else race + place))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_report_is_whole_without_script(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 1024, "height": 800}, reduced_motion="reduce"
    )
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
    context = chromium.new_context(
        locale="de-DE", viewport={"width": 1440, "height": 800}, reduced_motion="reduce"
    )
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


@pytest.mark.parametrize(
    "width", [390, *(pytest.param(width, marks=pytest.mark.full) for width in (360, 640, 641, 900))]
)
def test_the_lights_leave_the_playhead_alone(page: Page, lab: Lab, race: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    replay(page, lab, race, "?tick=0")
    expect(page.locator(".gantry")).to_be_visible()
    assert bottom(page, ".gantry") <= top(page, ".playbar")


def test_words_have_the_local_decimal_mark(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(locale="de-DE", reduced_motion="reduce")
    page = context.new_page()
    page.goto(lab.address + race)
    expect(page.locator(".why").first).to_have_text(re.compile(r"4 laps in \d+:\d\d,\d{3}\."))
    context.close()
