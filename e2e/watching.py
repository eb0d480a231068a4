"""What browser tests do with a live page: open it, follow its ticks, cut it off."""

from __future__ import annotations

from playwright.sync_api import Page

from e2e.conftest import Lab


def watch(page: Page, lab: Lab, race: str, query: str = "") -> None:
    page.goto(lab.address + race + query)
    page.locator("body[data-conn=live]").wait_for()
    page.locator("#st.race").wait_for(state="attached")


def tick(page: Page) -> int:
    return int(page.get_attribute("#dots", "data-tick") or 0)


def until_tick(page: Page, number: int) -> None:
    page.wait_for_selector("#dots", state="attached")
    while tick(page) < number:
        page.wait_for_timeout(50)


DEAF = """() => {
  window.deaf = true;
  addEventListener('htmx:wsBeforeMessage', (event) => {
    if (window.deaf) { event.stopImmediatePropagation(); event.preventDefault(); }
  }, true);
  window.words = [];
  const conn = document.getElementById('conn');
  new MutationObserver(() => window.words.push(conn.textContent)).observe(conn, { childList: true });
}"""
