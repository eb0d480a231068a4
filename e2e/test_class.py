"""A class in a real browser: from the code to the board, and everybody's page opens when the race starts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab

pytestmark = pytest.mark.browser
WAIT_MS = 30_000
# As the board's template writes them; a hidden page asks for no new board.
THIRTY = """() => {
  Object.defineProperty(document, 'hidden', { value: true });
  const row = '<tr><th><bdi>Maximiliane Oberhuber</bdi></th><td class="who"><b>HAM</b></td>'
    + '<td class="n">P22</td><td class="n">150</td></tr>';
  document.querySelector('#now').innerHTML = '<table class="list many"><tbody>' + row.repeat(30) + '</tbody></table>';
}"""


def test_a_phone_joins_and_the_race_opens_by_itself(page: Page, chromium: Browser, lab: Lab) -> None:
    page.goto(f"{lab.address}/class/")
    page.fill("[name=laps]", "20")
    page.fill("[name=seeds]", "7")
    page.click("text=Make the class")
    page.wait_for_url(re.compile("/class/[a-z]{6}/$"))
    code = page.url.rstrip("/")[-6:]
    room = chromium.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, reduced_motion="reduce"
    )
    phone = room.new_page()
    phone.goto(f"{lab.address}/j/{code}/")
    phone.evaluate(
        "addEventListener('pointerup', () => sessionStorage.taps = 1 + Number(sessionStorage.taps ?? 0))"
    )
    phone.tap("[name=name]")
    phone.keyboard.type("Anna")
    phone.tap(".card:has([value=HAM])")
    phone.tap("button:has-text('Join')")
    mine = phone.locator("#now tr.me")
    expect(mine).to_contain_text("Anna", timeout=WAIT_MS)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#now")).to_contain_text("Anna", timeout=WAIT_MS)
    assert phone.evaluate("Number(sessionStorage.taps)") == 3
    assert int(page.get_attribute("#now", "data-every") or 0) <= 2000, "else a name is late on the board"
    page.click("text=Start race 1")
    phone.wait_for_url(re.compile("/races/[0-9a-f-]{36}/$"))
    expect(phone.locator("body")).to_have_attribute("data-pick", "HAM", timeout=WAIT_MS)
    expect(phone.locator("#row-HAM")).to_have_class(re.compile("followed"), timeout=WAIT_MS)
    expect(phone.locator(".picks li.me b")).to_have_text(re.compile(r"P\d|out"), timeout=WAIT_MS)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#now tbody .n").first).to_have_text(re.compile(r"P\d|out|–"), timeout=WAIT_MS)
    page.click("text=Stop the race")
    expect(page.locator("#now")).to_contain_text("was stopped", timeout=WAIT_MS)
    room.close()


def test_thirty_names_fit_on_a_projector(page: Page, lab: Lab) -> None:
    page.goto(f"{lab.address}/class/")
    page.click("text=Make the class")
    page.wait_for_url(re.compile("/class/[a-z]{6}/$"))
    page.goto(f"{page.url}?screen=big")
    page.evaluate(THIRTY)
    for width, height in ((1440, 900), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.many')).fontSize)") >= 18


def test_the_set_up_is_an_address_without_the_driver(page: Page, lab: Lab) -> None:
    page.goto(f"{lab.address}/?circuit=spa&laps=8&seed=2026&driver=HAM")
    share = page.locator("#share")
    expect(share).to_be_visible(timeout=WAIT_MS)
    link = share.get_attribute("data-link") or ""
    assert link.startswith(f"{lab.address}/?")
    assert "driver" not in link
    assert "csrf" not in link
    page.goto(link)
    for name, value in (("laps", "8"), ("seed", "2026")):
        expect(page.locator(f"#{name}")).to_have_value(value, timeout=WAIT_MS)
    expect(page.locator("[name=circuit][value=spa]")).to_be_checked(timeout=WAIT_MS)
