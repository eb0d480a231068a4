"""What browser tests do with a replay: record a race for it, seek, wait for a tick, step from tick to tick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from playwright.sync_api import Browser, Page

from e2e.conftest import Lab, started

TICK_MS, BATCH = 200, 100
RECEIVE = """async (message) => (await import('/static/races/board.js')).receive(message)"""


def recorded(lab: Lab, chromium: Browser, choice: str) -> str:
    """A finished race: its path."""
    return until_finished(lab, started(lab, chromium, choice))


def until_finished(lab: Lab, path: str) -> str:
    deadline = time.monotonic() + 120
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


def last(page: Page) -> int:
    return int(page.get_attribute("#head", "max") or 0)


def steps(page: Page, lab: Lab, race: str, first: int, count: int) -> Iterator[int]:
    """Opens the replay at `first` and yields each of the next ticks once the page shows it, 200 ms after the last.

    The page's clock stands between them: what it shows follows from the ticks alone, not from how busy the machine is.
    """
    page.clock.install()
    page.goto(f"{lab.address}{race}replay/?tick={first}")
    page.locator("#play").wait_for()
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    at = first
    while at < first + count:
        found = lab.get(f"{race}replay/{at}/on/?step=1&count={min(BATCH, first + count - at)}")["messages"]
        for at, message in found:  # the next batch begins where this one ends
            page.clock.run_for(TICK_MS)
            page.evaluate(RECEIVE, message)
            yield at
        if not found:
            return
