"""Makes the pictures in docs/gallery: `python -m e2e.gallery`. It starts labs of its own and takes some five minutes.

Pictures are JPEG: a page of 1440 by 900 is some 60 KB, and all of them stay under 1.5 MB.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from e2e.conftest import ROOT, Lab, chromium_path

OUT = ROOT / "docs" / "gallery"
LIMIT = 1_500_000
SEED = 7  # a race with a safety car
SIZES = {"1440": (1440, 900), "1024": (1024, 768), "360": (360, 740)}


def shoot(page: Page, name: str, sizes: tuple[str, ...] = ("1440",)) -> None:
    for size in sizes:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(700)
        page.screenshot(path=OUT / f"{name}-{size}.jpg", type="jpeg", quality=36)
    page.set_viewport_size({"width": 1440, "height": 900})


def start(page: Page, lab: Lab, query: str = f"seed={SEED}") -> str:
    page.goto(f"{lab.address}/?{query}")
    page.click("#go")
    page.wait_for_url(re.compile(r"/races/[0-9a-f-]{36}/$"), wait_until="commit")
    return page.url


def state(page: Page, classes: str) -> None:
    page.locator(f"#st{classes}").wait_for(state="attached", timeout=240_000)


def before_the_race(page: Page, lab: Lab) -> None:
    page.goto(lab.address + "/races/")
    shoot(page, "history-empty")
    page.goto(lab.address + "/?circuit=spa")
    shoot(page, "selection", ("1440", "360"))
    page.goto(lab.address + "/")
    page.fill("#laps", "5000")
    page.fill("#seed", "blue")
    page.evaluate("document.getElementById('pick').noValidate = true")
    page.click("#go")
    page.locator(".error").first.wait_for()
    page.locator(".fields").scroll_into_view_if_needed()
    shoot(page, "error")
    page.goto(lab.address + "/nowhere/")
    shoot(page, "not-found")


def one_race(browser: Browser, page: Page, lab: Lab) -> str:
    address = start(page, lab)
    page.locator("#st.l2, #st.l3, #st.l4, #st.l5").wait_for(state="attached")
    page.screenshot(path=OUT / "lights-1440.jpg", type="jpeg", quality=36)
    state(page, ".race")
    state(page, ".f-safety_car")
    page.wait_for_timeout(1500)
    shoot(page, "safety-car")
    state(page, ".f-green")
    page.wait_for_timeout(6000)
    page.click("button[data-follow=PIA]")
    shoot(page, "race", ("1440", "1024", "360"))
    page.click("[data-do=theme]")
    shoot(page, "light")
    page.click("[data-do=theme]")
    big = browser.new_page(viewport={"width": 1440, "height": 810})
    big.goto(address + "?screen=big")
    big.wait_for_timeout(2500)
    big.screenshot(path=OUT / "big-screen-1440.jpg", type="jpeg", quality=36)
    big.close()
    page.locator("#finish[open]").wait_for(timeout=240_000)
    shoot(page, "finish", ("1440", "360"))
    return address


def after_the_race(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("body:not([data-conn])").wait_for(timeout=30_000)
    shoot(page, "report", ("1440", "360"))
    page.goto(address + "replay/?tick=200")
    page.wait_for_timeout(1500)
    shoot(page, "replay")


def reconnecting(page: Page, lab: Lab) -> None:
    start(page, lab)
    state(page, ".race")
    page.wait_for_timeout(8000)
    lab.stop()
    page.locator("body[data-conn=lost]").wait_for()
    shoot(page, "reconnecting")


def feature_off(page: Page, lab: Lab) -> None:
    start(page, lab)
    state(page, ".race")
    page.wait_for_timeout(8000)
    page.locator("#panel-engines").scroll_into_view_if_needed()
    shoot(page, "feature-off")


def with_lab(browser: Browser, anomalies: bool) -> None:
    with tempfile.TemporaryDirectory() as var:
        lab = Lab(Path(var), anomalies=anomalies)
        lab.start()
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        try:
            if anomalies:
                before_the_race(page, lab)
                after_the_race(page, one_race(browser, page, lab))
                reconnecting(page, lab)
            else:
                feature_off(page, lab)
        finally:
            lab.stop()


def main() -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.jpg"):
        old.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        with_lab(browser, anomalies=True)
        with_lab(browser, anomalies=False)
        browser.close()
    size = sum(picture.stat().st_size for picture in OUT.glob("*.jpg"))
    sys.stdout.write(f"{len(list(OUT.glob('*.jpg')))} pictures, {size / 1000:.0f} KB\n")
    return int(size > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
