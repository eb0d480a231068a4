"""Makes the pictures in docs/gallery and their page: `python -m e2e.gallery`. It starts labs of its own and takes some
five minutes.

A race is photographed at rest: what arrives waits outside until the picture is taken, so that no row is on its way.
Pictures are WebP, which Chromium itself makes of its screenshots.
"""

from __future__ import annotations

import base64
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.services.chromium import chromium_path
from e2e.conftest import ROOT, Lab

OUT = ROOT / "docs" / "gallery"
LIMIT = 1_800_000
QUALITY = 0.5
SEED = 7  # a race with a safety car
SIZES = {"1440": (1440, 900), "1024": (1024, 768), "360": (360, 740)}
HOST = "f1-lab.example"  # a name for the room, so that the big screen has an address to show
MARSHAL = {"DJANGO_SUPERUSER_USERNAME": "marshal", "DJANGO_SUPERUSER_PASSWORD": "blue-flag-22"}

PICTURES = {
    "selection": "Choose driver, circuit and length; the button says what it will do",
    "error": "Wrong entries come back with what was typed",
    "lights": "Five lights",
    "race": "Mid-race: tower, map, words, the stream at the foot",
    "ring": "The lap as a ring, with the place where a stop would come out",
    "record": "The record behind a number, read again from Kafka",
    "stream": "The stream: topics, rates, the newest records",
    "race-map": "The map's tab on a phone",
    "race-lab": "The lab's tab on a phone: the stream live",
    "light": "By day",
    "safety-car": "Safety car",
    "reconnecting": "The server is away",
    "feature-off": "Anomaly detection is off",
    "big-screen": "The big screen, with a code to join",
    "finish": "The flag",
    "report": "The report begins with the result",
    "report-charts": "Places, lap by lap",
    "report-engines": "The engine room: what was injected, what was seen, how late",
    "replay": "The replay",
    "history-empty": "No race yet",
    "history": "All races",
    "not-found": "Nothing at this address",
    "admin": "The admin: to look through, export and delete",
}

STILL = """() => {
  if (!window.holdsBack) {
    window.held = [];
    window.holdsBack = (event) => {
      if (!window.still) return;
      event.stopImmediatePropagation();
      event.preventDefault();
      window.held.push(event.detail.message);
    };
    addEventListener('htmx:wsBeforeMessage', window.holdsBack, true);
  }
  window.still = true;
}"""
GO_ON = """async () => {
  window.still = false;
  if (!window.held.length) return;
  const { receive } = await import('/static/races/board.js');
  for (const message of window.held.splice(0)) receive(message);
}"""
AT_REST = """() => ['rows', 'main'].every((id) => {
  const moving = document.getElementById(id)?.getAnimations({ subtree: true }) ?? [];
  return !moving.some((animation) => animation.playState === 'running');
}) && !document.querySelector('.new')"""
WEBP = """async ([png, quality]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/webp', quality).split(',')[1];
}"""


class Camera:
    """Takes pictures of a page. A page of its own makes WebP of them, where no policy is in the way."""

    def __init__(self, browser: Browser) -> None:
        self._darkroom = browser.new_page()
        self.taken: list[str] = []

    def snap(self, page: Page, name: str, size: str = "1440") -> None:
        """Saves a picture of the page as it stands just now."""
        png = base64.b64encode(page.screenshot()).decode()
        webp = base64.b64decode(self._darkroom.evaluate(WEBP, [png, QUALITY]))
        (OUT / f"{name}-{size}.webp").write_bytes(webp)
        self.taken.append(f"{name}-{size}")

    def shoot(self, page: Page, name: str, *sizes: str) -> None:
        """At rest, with nothing under the mouse."""
        for size in sizes or ("1440",):
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            page.mouse.move(0, 0)
            page.wait_for_timeout(600)
            page.evaluate(STILL)
            while not page.evaluate(AT_REST):  # the policy keeps wait_for_function out
                page.wait_for_timeout(50)
            self.snap(page, name, size)
            page.evaluate(GO_ON)
        page.set_viewport_size({"width": 1440, "height": 900})


def start(page: Page, lab: Lab, query: str = f"seed={SEED}") -> str:
    page.goto(f"{lab.address}/?{query}")
    page.click("#go")
    page.wait_for_url(re.compile(r"/races/[0-9a-f-]{36}/$"), wait_until="commit")
    return page.url


def state(page: Page, classes: str) -> None:
    page.locator(f"#st{classes}").wait_for(state="attached", timeout=240_000)


def before_the_race(camera: Camera, page: Page, lab: Lab) -> None:
    page.goto(lab.address + "/races/")
    camera.shoot(page, "history-empty")
    page.goto(lab.address + "/?circuit=spa")
    camera.shoot(page, "selection", "1440", "360")
    page.goto(lab.address + "/")
    page.fill("#laps", "5000")
    page.fill("#seed", "blue")
    page.evaluate("document.getElementById('pick').noValidate = true")
    page.click("#go")
    page.locator(".error").first.wait_for()
    page.locator(".fields").scroll_into_view_if_needed()
    camera.shoot(page, "error")
    page.goto(lab.address + "/nowhere/")
    camera.shoot(page, "not-found")


def one_race(camera: Camera, page: Page, lab: Lab) -> str:
    address = start(page, lab)
    page.locator("#st.l2, #st.l3, #st.l4, #st.l5").wait_for(state="attached")
    camera.snap(page, "lights")
    state(page, ".race")
    state(page, ".f-safety_car")
    page.locator("#band strong").wait_for()
    camera.shoot(page, "safety-car", "1440", "360")
    state(page, ".f-green")
    page.wait_for_timeout(4000)
    page.click("button[data-follow=PIA]")
    camera.shoot(page, "race", "1440", "1024", "360")
    page.keyboard.press("r")
    camera.shoot(page, "ring")
    page.keyboard.press("r")
    inside(camera, page, address)
    phone(camera, page)
    page.click("[data-do=theme]")
    camera.shoot(page, "light")
    page.click("[data-do=theme]")
    big_screen(camera, page, address)
    page.locator("#finish[open]").wait_for(timeout=240_000)
    camera.shoot(page, "finish", "1440", "360")
    return address


def inside(camera: Camera, page: Page, address: str) -> None:
    page.click("[data-do=inspect]")
    page.locator("#record .inside dl").first.wait_for()
    camera.snap(page, "record")
    page.keyboard.press("Escape")
    stream = page.context.new_page()
    stream.goto(address + "stream/")
    stream.wait_for_timeout(4000)
    camera.snap(stream, "stream")
    stream.close()


def phone(camera: Camera, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for tab in ("map", "lab"):
        page.click(f"[data-tab-to={tab}]")
        camera.shoot(page, f"race-{tab}", "360")
        page.set_viewport_size({"width": 360, "height": 740})
    page.click("[data-tab-to=race]")
    page.set_viewport_size({"width": 1440, "height": 900})


def big_screen(camera: Camera, page: Page, address: str) -> None:
    big = page.context.new_page()
    big.goto(re.sub(r"//[^:/]+", f"//{HOST}", address) + "?screen=big")
    big.locator("body[data-conn=live]").wait_for()
    camera.shoot(big, "big-screen")
    big.close()


def after_the_race(camera: Camera, page: Page, address: str) -> None:
    page.goto(address)
    page.locator("body.report").wait_for(timeout=30_000)
    camera.shoot(page, "report", "1440", "360")
    for name, title in (("report-charts", "#h-places"), ("report-engines", "#h-engines")):
        page.evaluate(f"document.querySelector('{title}').parentElement.scrollIntoView()")
        camera.shoot(page, name)
    page.goto(address + "replay/?tick=200")
    page.wait_for_timeout(1500)
    camera.shoot(page, "replay")
    page.goto(address.partition("/races/")[0] + "/races/")
    camera.shoot(page, "history")


def in_the_admin(camera: Camera, page: Page, lab: Lab) -> None:
    lab.manage("createsuperuser", "--noinput", "--email", "marshal@example.org", **MARSHAL)
    page.goto(lab.address + "/admin/login/?next=/admin/races/race/")
    page.fill("#id_username", MARSHAL["DJANGO_SUPERUSER_USERNAME"])
    page.fill("#id_password", MARSHAL["DJANGO_SUPERUSER_PASSWORD"])
    page.click("[type=submit]")
    page.locator("#result_list").wait_for()
    camera.shoot(page, "admin", "1440", "360")


def reconnecting(camera: Camera, page: Page, lab: Lab) -> None:
    start(page, lab)
    state(page, ".race")
    page.wait_for_timeout(8000)
    lab.stop()
    page.locator("body[data-conn=lost]").wait_for()
    camera.shoot(page, "reconnecting")


def feature_off(camera: Camera, page: Page, lab: Lab) -> None:
    start(page, lab)
    state(page, ".race")
    page.wait_for_timeout(8000)
    page.locator("#panel-engines").scroll_into_view_if_needed()
    camera.shoot(page, "feature-off")


@contextmanager
def a_lab(anomalies: bool) -> Iterator[Lab]:
    with tempfile.TemporaryDirectory() as var:
        lab = Lab(Path(var), anomalies=anomalies)
        lab.start()
        try:
            yield lab
        finally:
            lab.stop()


def contents(taken: list[str]) -> str:
    lines = [
        "# Gallery",
        "",
        "The pages as `python -m e2e.gallery` found them. Sizes are 1440, 1024 and 360 px wide.",
        "",
    ]
    for name, words in PICTURES.items():
        pictures = [picture for picture in taken if picture.rpartition("-")[0] == name]
        lines += [
            f"## {words}",
            "",
            *(f"![{words}, {p.rpartition('-')[2]} px]({p}.webp)" for p in pictures),
            "",
        ]
    return "\n".join(lines)


def main() -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    for old in (*OUT.glob("*.jpg"), *OUT.glob("*.webp")):
        old.unlink()
    os.environ["DJANGO_ALLOWED_HOSTS"] = f"127.0.0.1,{HOST}"
    arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
        camera = Camera(browser)
        context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
        page = context.new_page()
        with a_lab(anomalies=True) as lab:
            before_the_race(camera, page, lab)
            after_the_race(camera, page, one_race(camera, page, lab))
            in_the_admin(camera, page, lab)
            reconnecting(camera, page, lab)
        with a_lab(anomalies=False) as lab:
            feature_off(camera, page, lab)
        browser.close()
    (OUT / "README.md").write_text(contents(camera.taken), encoding="utf-8")
    size = sum(picture.stat().st_size for picture in OUT.iterdir())
    sys.stdout.write(f"{len(camera.taken)} pictures, {size / 1000:.0f} KB\n")
    return int(size > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
