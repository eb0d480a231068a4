"""The live page in a real browser, on a real lab."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab
from e2e.watching import DEAF, tick, until_tick, watch

pytestmark = pytest.mark.browser


HIDE = """(hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
# a phone that is locked: nothing arrives, though the connection stays


def test_typing_finds_a_driver(page: Page, lab: Lab) -> None:
    page.goto(lab.address)
    page.keyboard.type("verst")
    expect(page.locator("#go")).to_have_text(
        re.compile(r"^Start: Verstappen at Monza, \d+ laps, about \d+ s$")
    )
    page.click("[data-preset=real]")
    expect(page.locator("#go")).to_have_text(re.compile(r"about \d+ min$"))


def pressed(page: Page) -> list[str | None]:
    found = page.locator("[data-preset][aria-pressed=true]")
    return [button.get_attribute("data-preset") for button in found.all()]


def test_a_preset_follows_the_circuit(page: Page, lab: Lab) -> None:
    page.goto(lab.address)
    assert pressed(page) == ["sprint"]
    page.click("[data-preset=gp]")
    for circuit, laps in (("monza", "53"), ("spa", "44"), ("monza", "53")):
        page.check(f"[name=circuit][value={circuit}]", force=True)
        expect(page.locator("#laps")).to_have_value(laps)
        expect(page.locator("#go")).to_contain_text(f"{laps} laps")
        assert pressed(page) == ["gp"]
    page.fill("#laps", "10")
    assert pressed(page) == []
    page.check("[name=circuit][value=spa]", force=True)
    expect(page.locator("#laps")).to_have_value("10")


def test_an_unknown_circuit_leaves_the_choice(page: Page, lab: Lab) -> None:
    page.goto(f"{lab.address}/?circuit=nowhere&driver=QQQ")
    page.click("[data-preset=gp]")
    page.fill("#laps", "9")
    page.check("[name=driver][value=HAM]", force=True)
    page.check("[name=circuit][value=spa]", force=True)
    expect(page.locator("#go")).to_contain_text("Hamilton at Spa, 9 laps")


def test_the_button_promises_nothing_false(page: Page, lab: Lab) -> None:
    page.goto(f"{lab.address}/?circuit=spa")
    for field, value, words in (
        ("laps", "5000", "Laps go from 1 to 44 at Spa"),
        ("laps", "1", ""),
        ("pace", "0", "Pace goes from 1 to 60"),
        ("pace", "12", ""),
    ):
        page.fill(f"#{field}", value)
        expect(page.locator("#wrong")).to_have_text(words)
        expect(page.locator("#go")).to_have_text(
            "Start: Norris at Spa" if words else re.compile(r"Start: Norris at Spa, 1 lap, about")
        )
    expect(page.locator("#go")).to_contain_text("Start: Norris at Spa, 1 lap, about")


def test_another_driver_keeps_the_set_up(page: Page, lab: Lab) -> None:
    page.goto(f"{lab.address}/?circuit=spa&laps=9&pace=10&seed=77&incidents_asked=1")
    page.click("#go")
    page.click("text=Another driver")
    for field, value in (("laps", "9"), ("pace", "10"), ("seed", "77")):
        expect(page.locator(f"#{field}")).to_have_value(value)
    expect(page.locator("[name=incidents]")).not_to_be_checked()
    expect(page.locator("[value=spa]")).to_be_checked()


PLACES = """() => {
  const line = `<li><time>0:00</time><span>${'Gasly passes Verstappen. '.repeat(20)}</span></li>`;
  document.getElementById('commentary').insertAdjacentHTML('afterbegin', line);
  const parts = ['.talk', '.join', '.map', '.tower', '#commentary span'];
  return parts.map((part) => document.querySelector(part).getBoundingClientRect().toJSON());
}"""


def test_a_long_line_stays_in_its_place(page: Page, lab: Lab, race: str) -> None:
    mine = "{order: ['map', 'wall', 'commentary'].map((name) => `panel-${name}`), hidden: ['panel-map'], side: 1}"
    page.add_init_script(f"localStorage.setItem('panels', JSON.stringify({mine}))")
    watch(page, lab, race, "?screen=big")
    for width, height in ((1440, 810), (1024, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        talk, join, track, tower, words = page.evaluate(PLACES)
        assert talk["right"] <= join["left"]
        assert track["bottom"] <= talk["top"]
        assert tower["right"] <= talk["left"]
        assert 0 < words["height"] <= talk["bottom"] - words["y"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.documentElement.scrollHeight") <= height


def test_a_wrong_entry_keeps_what_was_typed(page: Page, lab: Lab) -> None:
    page.goto(lab.address)
    page.evaluate("document.getElementById('seed').value = 'blue'")
    with page.expect_response(lambda response: response.request.method == "POST") as response:
        page.click("#go")
    assert response.value.status == 422
    expect(page.locator("#seed-error")).to_be_visible()
    expect(page.locator("#seed")).to_have_value("blue")


def test_rows_keep_the_order_of_positions(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    first = tick(page)
    for number in range(first + 1, first + 16):
        until_tick(page, number)
        places = page.evaluate(
            "Array.from(document.getElementById('rows').children, (row) => Number(row.cells[0].textContent))"
        )
        assert places == list(range(1, 23))


def test_a_race_from_the_lights_to_the_result(page: Page, lab: Lab) -> None:
    page.add_init_script(
        "window.seen = [];"
        "document.addEventListener('board:state', ({ detail }) => window.seen.push(detail.is.join(' ')))"
    )
    page.goto(f"{lab.address}/?laps=1&pace=30&seed=3")
    page.keyboard.type("lec")
    page.click("#go")
    expect(page.locator("#finish")).to_be_visible(timeout=60_000)
    seen = page.evaluate("window.seen")
    lights = [words.split()[-1] for words in seen if words.startswith("grid")]
    assert lights == sorted(lights), "lights only ever come on"
    assert not lights or lights[-1] == "l5", "a page that opens late sees none"
    assert next(words.split()[0] for words in seen if not words.startswith("grid")) == "race"
    expect(page.locator(".lights")).to_be_hidden()
    expect(page.locator("#result h2")).to_contain_text("wins")
    expect(page.locator("#result .own th")).to_contain_text("Leclerc")
    assert page.locator("#result tbody tr").count() == 22
    expect(page.locator("a.ended")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#finish")).to_be_hidden()
    expect(page.locator("form.stop")).to_be_hidden()
    expect(page.locator("a.ended")).to_have_attribute("href", page.url.removeprefix(lab.address))


def test_only_the_owner_sees_stop(page: Page, chromium: Browser, lab: Lab) -> None:
    page.goto(f"{lab.address}/?laps=30")
    page.click("#go")
    page.locator("#st.race").wait_for(state="attached")
    other = chromium.new_context(reduced_motion="reduce")
    guest = other.new_page()
    watch(guest, lab, page.url.removeprefix(lab.address))
    expect(guest.locator("form.stop")).to_have_count(0)
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("form.stop button")
    expect(guest.locator("#status")).to_contain_text("Red flag")
    expect(guest.locator("#result")).to_contain_text("Race stopped")
    other.close()


@pytest.mark.motion
def test_dots_stay_on_the_track(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    off = page.evaluate(
        """async () => {
          const map = document.getElementById('map').getBoundingClientRect();
          const scale = map.width / 1000;
          const line = Array.from(document.getElementById('outline').points, (p) => [p.x * scale, p.y * scale]);
          const pit = Array.from(document.getElementById('pitlane').points, (p) => [p.x * scale, p.y * scale]);
          const far = (x, y, points) => Math.min(...points.map(([a, b]) => Math.hypot(a - x, b - y)));
          let worst = 0;
          for (let frame = 0; frame < 60; frame++) {
            await new Promise(requestAnimationFrame);
            for (const dot of document.querySelectorAll('.dot:not([hidden])')) {
              const box = dot.getBoundingClientRect();
              const [x, y] = [box.x + box.width / 2 - map.x, box.y + box.height / 2 - map.y];
              worst = Math.max(worst, Math.min(far(x, y, line), far(x, y, pit)));
            }
          }
          return worst;
        }"""
    )
    assert off < 6, "pixels from the nearest point of outline or pit lane"


def test_following_predicts_the_stop(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.click("button[data-follow=PIA]")
    expect(page.locator("#row-PIA")).to_have_class(re.compile("followed"))
    expect(page.locator("#follow-name")).to_contain_text("Following PIA")
    page.reload()
    expect(page.locator("#row-PIA")).to_have_class(re.compile("followed"))


def test_numbers_and_units_are_local(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="de-DE", reduced_motion="reduce"
    )
    page = context.new_page()
    watch(page, lab, race)
    expect(page.locator("#rows .int b").nth(5)).to_have_text(re.compile(r"^\+[\d:]+,\d{3}$"))
    expect(page.locator("#legend dt.purple")).to_have_text("1:21,345")
    speed = page.locator("#speeds b").first
    expect(speed).to_have_text(re.compile(r"^[12]\d\d,\d$"), timeout=30_000)  # once the cars have got going
    metric = float(speed.inner_text().replace(",", "."))
    page.keyboard.press("u")
    expect(page.locator("#unit")).to_have_text("mph")
    miles = float(speed.inner_text().replace(",", "."))
    page.keyboard.press("u")
    expect(page.locator("#unit")).to_have_text("km/h")
    later = float(speed.inner_text().replace(",", "."))  # averages climb while the race is young
    assert min(metric, later) - 8 < miles * 1.609 < max(metric, later) + 8
    context.close()


def test_a_hidden_panel_stays_hidden(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.click("[data-do=panels]")
    page.uncheck("[data-hide=panel-speeds]")
    page.reload()
    expect(page.locator("#panel-speeds")).to_be_hidden()
    expect(page.locator("#panel-engines")).to_be_visible()


def test_keys_work_after_a_dialog(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    for close in ("Escape", "?"):
        page.keyboard.press("?")
        expect(page.locator("#legend")).to_be_visible()
        page.keyboard.press(close)
        page.keyboard.press("p")
        expect(page.locator("#panels")).to_be_visible()
        page.keyboard.press("p")
        expect(page.locator("#panels")).not_to_be_visible()
    page.keyboard.press("d")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_own_row_stays_at_the_edge(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    watch(page, lab, race)
    page.evaluate(DEAF)
    places = page.evaluate(
        """() => {
          const rows = document.getElementById('rows');
          const own = rows.querySelector('.own');
          const top = () => own.getBoundingClientRect().top;
          rows.prepend(own);
          scrollTo(0, 300);
          const above = top() - document.querySelector('.head').getBoundingClientRect().bottom;
          rows.append(own);
          document.body.style.paddingTop = '500px';
          scrollTo(0, 0);
          const foot = document.querySelector('.pipe').getBoundingClientRect().top;
          return { above, below: foot - own.getBoundingClientRect().bottom };
        }"""
    )
    assert abs(places["above"]) < 2, "under the header, not scrolled away"
    assert abs(places["below"]) < 2, "above the strip at the foot"


def test_the_own_row_sticks_to_the_edge_as_one(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 320}, reduced_motion="reduce")
    page = context.new_page()
    watch(page, lab, race)
    page.click("[data-tab-to=tower]")
    box = page.evaluate(
        """() => {
          const row = document.querySelector('#rows .own');
          const tops = Array.from(row.cells, (cell) => cell.getBoundingClientRect().top);
          return { shown: tops.filter((top) => top), bottom: row.getBoundingClientRect().bottom };
        }"""
    )
    assert max(box["shown"]) - min(box["shown"]) < 1
    assert box["bottom"] <= 320 - 56, "above the bar at the foot"
    context.close()


@pytest.mark.full
def test_only_acknowledgements_go_up(page: Page, lab: Lab, race: str) -> None:
    sent: list[str] = []
    page.on("websocket", lambda opened: opened.on("framesent", lambda text: sent.append(str(text))))
    watch(page, lab, race)
    expect(page.locator("#rtt")).to_have_text(re.compile(r"round trip [\d.]+ ms"))
    until_tick(page, tick(page) + 20)
    passed = page.evaluate("performance.now()")
    assert sent
    assert all(re.fullmatch(r"ack \d+", text) for text in sent)
    assert len(sent) <= 2 + passed / 5000


def test_a_phone_never_scrolls_sideways(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    page = context.new_page()
    watch(page, lab, race)
    for tab in ("race", "tower", "map", "talk", "engine", "lab"):
        page.click(f"[data-tab-to={tab}]")
        parts = ".tower, .map, #panel-commentary" if tab == "race" else f"[data-tab={tab}]"
        expect(page.locator(parts).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, tab
    page.click(".pipe a[href='#panel-engines']")
    expect(page.locator("#panel-engines")).to_be_visible()
    page.click("[data-tab-to=tower]")
    heights = page.evaluate(
        "Array.from(document.querySelectorAll('.bar button, .switch button'), (b) => b.offsetHeight)"
    )
    assert min(heights) >= 44
    context.close()


def typed_wrong(page: Page) -> None:
    page.evaluate("document.getElementById('pick').noValidate = true")
    for field, value in (("laps", "5000"), ("pace", "0"), ("seed", "blue")):
        page.fill(f"#{field}", value)
    page.click("#go")
    page.locator("#seed-error").wait_for()


def opened(dialog: str) -> Callable[[Page], None]:
    def open_it(page: Page) -> None:
        page.locator("body[data-conn=live]").wait_for()
        page.evaluate(f"document.getElementById('{dialog}').showModal()")

    return open_it


def as_it_comes(page: Page) -> None:
    page.wait_for_timeout(300)


LOOKED_AT: dict[str, tuple[str, Callable[[Page], None]]] = {
    "selection": ("/", as_it_comes),
    "wrong entries": ("/", typed_wrong),
    "live": ("RACE", as_it_comes),
    "legend": ("RACE", opened("legend")),
    "panels": ("RACE", lambda page: page.keyboard.press("p")),
    "big screen": ("RACE?screen=big", as_it_comes),
    "not found": ("/nowhere/", as_it_comes),
    "guide": ("/lab/", as_it_comes),
    "a part of the guide": ("/lab/12-teaching/", as_it_comes),
}


AXE_OFTEN = {
    ("live", "dark"),
    ("live", "light"),
    ("selection", "dark"),
    ("panels", "dark"),
    ("guide", "light"),
}


@pytest.mark.parametrize(
    ("what", "theme", "width"),
    [
        pytest.param(what, theme, width, marks=() if (what, theme) in AXE_OFTEN else pytest.mark.full)
        for what in LOOKED_AT
        for theme, width in (("dark", 1440), ("light", 360))
    ],
)
def test_axe_finds_nothing(chromium: Browser, lab: Lab, race: str, theme: str, width: int, what: str) -> None:
    # the policy would keep axe's own script out
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, bypass_csp=True, reduced_motion="reduce"
    )
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page = context.new_page()
    address, prepare = LOOKED_AT[what]
    page.goto(lab.address + address.replace("RACE", race))
    prepare(page)
    found = Axe().run(page).response["violations"]
    assert [(finding["id"], finding["nodes"][0]["html"][:160]) for finding in found] == []
    context.close()


def test_an_unlocked_phone_connects_once(page: Page, lab: Lab, race: str) -> None:
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    watch(page, lab, race)
    page.evaluate(HIDE, True)
    page.evaluate(DEAF)
    page.wait_for_timeout(1700)
    page.evaluate(HIDE, False)
    page.evaluate("window.deaf = false")
    until_tick(page, tick(page) + 25)
    assert len(opened) == 2
    assert [words for words in page.evaluate("window.words") if "onnect" in words] == []
    expect(page.locator("body")).to_have_attribute("data-conn", "live")


def test_a_silent_stream_is_said_in_one_sentence(page: Page, lab: Lab, race: str) -> None:
    page.clock.install()
    watch(page, lab, race)
    page.evaluate(DEAF)
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    page.evaluate("""async () => {
      const { receive } = await import('/static/races/board.js');
      const other = () => receive('<i id="pong" hidden>0</i>');
      other();
      window.others = setInterval(other, 500);
      window.words = []; // a busy machine may have been silent itself before
    }""")
    page.clock.run_for(6500)
    said = [words for words in page.evaluate("window.words") if words]
    assert said == ["No new ticks: the stream is quiet"]
    page.evaluate("clearInterval(window.others); window.deaf = false")
    page.clock.resume()
    expect(page.locator("#conn")).to_be_empty()


def test_a_silent_server_marks_its_figures(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.evaluate(DEAF)
    told = "The server has gone quiet: what you see is old"
    expect(page.locator("#conn")).to_have_text(told, timeout=15_000)
    marks = (
        "[...document.querySelectorAll('.source b')].map((one) => getComputedStyle(one, '::after').content)"
    )
    assert set(page.evaluate(marks)) == {'" · old"'}
    page.evaluate("window.deaf = false")
    expect(page.locator("#conn")).to_be_empty()
    assert set(page.evaluate(marks)) == {"none"}


def test_miles_come_back_as_kilometres(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    change = """async (speed) => {
      (await import('/static/races/board.js')).receive(`<b id="speed-NOR">${speed}</b>`);
      return document.getElementById('speed-NOR').textContent;
    }"""
    page.evaluate(DEAF)
    page.keyboard.press("u")
    assert page.evaluate(change, "100.0") == "62"
    assert page.evaluate(change, "200.0") == "124"
    page.keyboard.press("u")
    assert page.locator("#speed-NOR").text_content() == "200.0"


def test_every_figure_is_local(chromium: Browser, lab: Lab, race: str) -> None:
    context = chromium.new_context(locale="de-DE", reduced_motion="reduce")
    page = context.new_page()
    watch(page, lab, race)
    page.evaluate(DEAF)
    said = page.evaluate(
        """async () => {
          const { receive } = await import('/static/races/board.js');
          receive('<span id="own"><b>NOR P7</b>, 1.284 s behind RUS</span><b id="fastest">LEC 1:23.630</b>'
            + '<b id="rejoin-NOR">P9, 6.3 s behind COL</b><b id="footer-positions">4.4/s</b>'
            + '<div id="result"><td>+1.5</td></div><div id="charts"><span>107.3 °C <i>of 1.5</i></span></div>'
            + '<ol hx-swap-oob="afterbegin:#commentary"><li>Only 0.4 s.</li></ol><p id="status">127.0.0.1:9092</p>');
          const names = ['own', 'fastest', 'rejoin-NOR', 'footer-positions', 'result', 'charts', 'status'];
          return [...names.map((name) => document.getElementById(name).textContent),
            document.querySelector('#commentary li').textContent];
        }"""
    )
    assert said == [
        "NOR P7, 1,284 s behind RUS", "LEC 1:23,630", "P9, 6,3 s behind COL", "4,4/s", "+1,5",
        "107,3 °C of 1,5", "127.0.0.1:9092", "Only 0,4 s.",
    ]  # fmt: skip
    context.close()


def test_only_the_owner_reads_you(page: Page, chromium: Browser, lab: Lab, race: str) -> None:
    page.goto(f"{lab.address}/?laps=30")
    page.click("#go")
    page.locator("#st.race, #st.grid").wait_for(state="attached")
    badge = "getComputedStyle(document.querySelector('#rows .own em'), '::before').content"
    assert page.evaluate(badge) == '"you"'
    watch(page, lab, race)
    assert page.evaluate(badge) == '"picked"'


@pytest.mark.full
def test_a_comparison_needs_two_gaps(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.evaluate(DEAF)
    apart = """async ([ver, ham]) => {
      (await import('/static/races/board.js')).receive(`<b id="gap-VER">${ver}</b><b id="gap-HAM">${ham}</b>`);
      document.getElementById('duel-a').value = 'VER';
      const other = document.getElementById('duel-b');
      other.value = 'HAM';
      other.dispatchEvent(new Event('change', { bubbles: true }));
      return document.querySelector('#duel tr').cells[1].textContent;
    }"""
    assert page.evaluate(apart, ["Leader", "+1.500"]) == "1.500 s apart"
    assert page.evaluate(apart, ["+1:01.000", "+1.500"]) == "59.500 s apart"
    lapped = """async (words) => {
      const order = Array.from(document.getElementById('rows').children, (row) => row.dataset.c);
      const [from, to] = [order.indexOf('VER'), order.indexOf('HAM')].sort((a, b) => a - b);
      const { receive } = await import('/static/races/board.js');
      receive(order.slice(from + 1, to + 1).map((code) => `<b id="int-${code}">${words}</b>`).join(''));
      return to - from;
    }"""
    page.evaluate(lapped, "+1 lap")
    assert page.evaluate(apart, ["Leader", "+1 lap"]) == "a lap or more apart"
    assert page.evaluate(apart, ["Leader", ""]) == "no gap", "one is out of the race"
    between = page.evaluate(lapped, "+1.250")
    assert page.evaluate(apart, ["+1 lap", "+1 lap"]) == f"{1.25 * between:.3f} s apart", "both a lap down"
    page.evaluate(lapped, "+1 lap")
    assert page.evaluate(apart, ["+1 lap", "+2 laps"]) == "a lap or more apart"
    assert page.evaluate(apart, ["", ""]) == "no gap", "on the grid"


@pytest.mark.full
def test_panels_cross_at_the_edge(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    columns = (
        "Array.from(document.querySelectorAll('[data-column]'), (column) =>"
        " Array.from(column.children, (panel) => panel.id.slice(6)))"
    )
    page.keyboard.press("p")
    down = "[data-move=panel-commentary][data-by='1']"
    page.click(down)
    assert page.evaluate(columns) == [["map"], ["commentary", "wall", "control", "engines", "speeds"]]
    page.click(down)
    assert page.evaluate(columns) == [["map"], ["wall", "commentary", "control", "engines", "speeds"]]
    for _ in range(3):
        page.click(down)
    expect(page.locator(down)).to_be_disabled()
    page.reload()
    assert page.evaluate(columns) == [["map"], ["wall", "control", "engines", "speeds", "commentary"]]
    page.keyboard.press("p")
    page.click("[data-do=panels-reset]")
    assert page.evaluate(columns) == [["map", "commentary"], ["wall", "control", "engines", "speeds"]]


def test_arrow_keys_follow_on_the_map(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    page.locator(".dot[tabindex='0']").focus()
    expect(page.locator("#rows .followed")).to_have_count(0)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        followed = page.locator("#rows .followed")
        expect(followed).to_have_count(1)
        code = followed.get_attribute("data-c")
        assert page.evaluate("document.activeElement.dataset.c") == code
        expect(page.locator(".dot[tabindex='0']")).to_have_attribute("data-c", str(code))


# What brings each state about, and what of the page it changes. Axe looks at that: of the whole page it takes seconds.
STATES = {
    "lost": ("body.dataset.conn = 'lost'; conn.textContent = 'Connection lost. Reconnecting…'", "body"),
    "closed": (
        "body.dataset.conn = 'closed'; conn.textContent = 'This race no longer exists.'",
        ".head",
    ),
    "silent": (
        "body.dataset.conn = 'silent'; conn.textContent = 'The server has gone quiet'",
        ".head, .source, .pipe",
    ),
    **{
        f"{state}, {colour}": (f"body.dataset.conn = '{state}'; flag.className = 'f-{colour}'", ".flagpill")
        for state in ("lost", "closed")
        for colour in ("yellow", "vsc", "red", "chequered")
    },
    "quiet": ("body.dataset.conn = 'quiet'; conn.textContent = 'No new ticks: the stream is quiet'", ".head"),
    "waiting": ("st.className = 'waiting'", ".head, .source, .lights"),
    "over": ("st.className = 'over f-chequered l0'", ".head, .source, .map"),
    "legend": ("legend.showModal()", "#legend"),
    "panels": ("document.querySelector('[data-do=panels]').click()", "#panels"),
    "finish": ("finish.showModal()", "#finish"),
}
# Nothing arrives any more, and the page's timers, which would soon say so, stand still: axe sees the state that it is
# asked about. What a state changes is put back before the next one.
STILL = "() => { const last = setTimeout(() => {}); for (let id = 1; id <= last; id++) clearInterval(id); }"
BROUGHT_ABOUT = """(script) => {
  const { body } = document;
  const ids = ['st', 'flag', 'conn', 'legend', 'finish'];
  const [st, flag, conn, legend, finish] = ids.map((id) => document.getElementById(id));
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  window.asItWas ??= [st.className, flag.className];
  [st.className, flag.className] = window.asItWas;
  [body.dataset.conn, conn.textContent] = ['live', ''];
  eval(script);
}"""


@pytest.mark.parametrize(
    ("theme", "width"),
    [("light", 360), ("dark", 1440), ("light", 1440), ("dark", 360)],
)
@pytest.mark.full
def test_axe_finds_nothing_in_the_rarer_states(
    chromium: Browser, lab: Lab, race: str, theme: str, width: int
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, bypass_csp=True, reduced_motion="reduce"
    )
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page = context.new_page()
    watch(page, lab, race)
    page.evaluate(DEAF)
    page.evaluate(STILL)
    for state, (script, changed) in STATES.items():
        page.evaluate(BROUGHT_ABOUT, script)
        found = Axe().run(page, context=changed).response["violations"]
        assert [(finding["id"], finding["nodes"][0]["html"][:120]) for finding in found] == [], state
    context.close()


def test_buttons_stay_on_the_band(page: Page, lab: Lab, race: str) -> None:
    """They can be pressed while the stream is quiet, and are hidden where they could not work."""
    watch(page, lab, race)
    page.evaluate(DEAF)
    page.evaluate(STILL)
    again = page.get_by_role("button", name="Race again")
    page.evaluate(BROUGHT_ABOUT, STATES["quiet"][0])
    again.click(trial=True, timeout=2_000)
    for state in ("lost", "closed"):
        page.evaluate(BROUGHT_ABOUT, STATES[state][0])
        expect(again).to_have_count(0)


def test_the_page_survives_a_restart(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    before = tick(page)
    stood = "document.getElementById('rows').getBoundingClientRect().top"
    top = page.evaluate(stood)
    figures = page.locator(".pipe b[id]:not(#rtt)")
    expect(figures.first).to_contain_text("/s, lag")
    lab.stop()
    page.locator("body[data-conn=lost]").wait_for()
    expect(page.locator("#conn")).to_contain_text("Reconnecting")
    assert page.evaluate(stood) == top, "nothing moves when the band comes"
    assert set(figures.all_text_contents()) == {"–"}, "no old figure stands as if it were new"
    expect(page.locator("#rtt")).to_have_text("not connected")
    lab.start()
    page.locator("body[data-conn=live]").wait_for()
    expect(figures.first).to_contain_text("/s, lag")
    expect(page.locator("#rtt")).to_contain_text("round trip")
    until_tick(page, before + 1)


def test_an_old_order_of_panels_is_fine(page: Page, lab: Lab, race: str) -> None:
    watch(page, lab, race)
    kept = '{"order": ["panel-gone", "panel-map"], "hidden": [], "side": 1}'
    page.evaluate("(kept) => localStorage.setItem('panels', kept)", kept)
    watch(page, lab, race)
    assert page.evaluate("document.querySelectorAll('[data-column] > [data-panel]').length") > 2
    page.keyboard.press("g")
    expect(page.locator("body")).to_have_class(re.compile("by-int"))


def test_a_phone_marks_battles(page: Page, lab: Lab, race: str) -> None:
    """Before the interval, which is what is short; the gap to the leader says nothing of a battle."""
    page.set_viewport_size({"width": 360, "height": 740})
    watch(page, lab, race)
    page.click("[data-tab-to=tower]")
    page.evaluate(DEAF)
    mark = """() => {
      const row = document.getElementById('rows').children[3];
      const interval = row.querySelector('.int b');
      const marked = (cell) => getComputedStyle(row.querySelector(`.${cell} b`), '::before').content.includes('‹');
      interval.className = 'near';
      return [marked('int'), marked('gap')];
    }"""
    assert page.evaluate(mark) == [True, False]


def test_a_refusal_focuses_the_field(page: Page, lab: Lab) -> None:
    page.goto(lab.address)
    page.locator("#laps").evaluate("(field) => { field.removeAttribute('min'); field.value = '0'; }")
    page.locator("#pick").evaluate("(form) => form.submit()")
    page.locator("#laps-error").wait_for()
    assert page.evaluate("document.activeElement.id") == "laps"
