"""A real lab in a process of its own on a free port, and a real browser that looks at it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from bench.services.chromium import chromium_path
from bench.services.waiting import free_port
from tests.fakes.waiting import lacking

ROOT = Path(__file__).resolve().parents[1]
expect.set_options(timeout=20_000)  # a busy machine is no fault of the page


class Lab:
    """`runlab` as anybody starts it, with its own var directory."""

    def __init__(self, var: Path, *, anomalies: bool = True) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._var = var
        self._anomalies = anomalies
        self._log = var / "lab.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _environ(self) -> dict[str, str]:
        mine = {"F1_VAR_DIR": str(self._var), "F1_ANOMALY_DETECTION": str(int(self._anomalies))}
        return os.environ | mine

    def manage(self, *arguments: str, **environ: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(
            command, cwd=ROOT, env=self._environ | environ, check=True, timeout=60, stdout=subprocess.DEVNULL
        )

    def start(self, timeout_s: float = 60) -> None:
        self.manage("migrate", "-v0")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "runlab", f"127.0.0.1:{self.port}"],
                cwd=ROOT,
                env=self._environ,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + timeout_s
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the lab did not come up:\n{self.output()}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=15)
            self._process = None

    def output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.address + path, timeout=10) as response:
            return json.load(response)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.address + "/livez", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """File by file: pytest-playwright's parameter would mix the files, and each would race its race twice."""
    items.sort(key=lambda item: item.path)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    running = Lab(tmp_path_factory.mktemp("lab"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        lacking("no Chromium or Chrome on this machine: the browser tests need one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watcher:
    """Collects what a page complains about: scripts that fail, and what the policy forbids."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._console(message.type, message.text))

    def _console(self, kind: str, text: str) -> None:
        # refused sockets and refused forms are what some tests are about, and they look at them themselves
        expected = (
            "WebSocket",
            "[object Event]",
            "Failed to load resource: the server responded with a status of 4",
        )
        if kind == "error" and not text.startswith(expected):
            self.complaints.append(text)


@pytest.fixture
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser that asks for reduced motion, which spares the tests half their time, but where a test is marked
    `motion`."""
    moves = request.node.get_closest_marker("motion") is not None
    opened = chromium.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme="dark",
        reduced_motion="no-preference" if moves else "reduce",
    )
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    watcher = Watcher(opened)
    yield opened
    assert watcher.complaints == []


def started(lab: Lab, chromium: Browser, choice: str) -> str:
    """A race that somebody starts from the first page: its path."""
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{lab.address}/?{choice}")
    page.click("#go")
    page.wait_for_url(re.compile(r"/races/[0-9a-f-]{36}/$"), wait_until="commit")
    path = page.url.removeprefix(lab.address)
    context.close()
    return path


@pytest.fixture(scope="session")
def race(lab: Lab, chromium: Browser) -> str:
    """A race that runs longer than all tests take, also on a slow machine: its path."""
    return started(lab, chromium, "laps=53&pace=2&seed=7")
