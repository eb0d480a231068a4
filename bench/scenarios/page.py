"""The live page in Chromium on one core: weight, frame rate of the map, a tick's way into the DOM, bytes a second,
and what the longest tasks were. The lab has the other cores: what draws a page is another machine than what sends it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.harness import LabProcess, lab, percentiles
from bench.scenarios import page_tasks
from bench.services.chromium import chromium_path

SECONDS = 60
UNTRACED_S = 30
LIMITS = {
    "scripts_and_styles_kb": 45,
    "first_load_kb": 150,
    "fps_median_at_least": 50,
    "long_tasks_of_ticks": 0,
    "forced_layouts": 0,
    "dom_p50_ms": 60,
    "dom_p99_ms": 150,
    "kb_per_s": 20,
    "renderer_share": 0.25,
}
# When each tick was in the DOM, and each frame that the page was asked for.
PROBE = """() => {
  const seen = window.probe = { ticks: {}, frames: [] };
  document.addEventListener('board:changed', () => {
    seen.ticks[document.getElementById('dots').dataset.tick] ??= performance.now();
  });
  const frame = (at) => { seen.frames.push(at); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


class Wire:
    """Collects what the page receives: the bytes of each address as sent, and the socket's frames with their time.

    `sent` counts an answer with its headers, `bodies` without them.
    """

    def __init__(self, session: CDPSession) -> None:
        self.sent: dict[str, int] = {}
        self.bodies: dict[str, int] = {}
        self._headers: dict[str, int] = {}
        self.frames: list[tuple[float, int]] = []
        self._urls: dict[str, str] = {}
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketFrameReceived", self._frame)
        session.send("Network.enable")

    def _asked(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["request"]["url"]

    def _answered(self, event: dict[str, Any]) -> None:
        self._headers[event["requestId"]] = int(event["response"]["encodedDataLength"])

    def _finished(self, event: dict[str, Any]) -> None:
        url, size = self._urls.get(event["requestId"], ""), int(event["encodedDataLength"])
        self.sent[url] = self.sent.get(url, 0) + size
        self.bodies[url] = self.bodies.get(url, 0) + size - self._headers.get(event["requestId"], 0)

    def _frame(self, event: dict[str, Any]) -> None:
        self.frames.append((event["timestamp"], len(event["response"]["payloadData"].encode())))


def own(sizes: dict[str, int]) -> float:
    """Returns the weight of the lab's own scripts and styles, in kB."""
    weights = (
        size for url, size in sizes.items() if "/static/races/" in url and url.endswith((".js", ".css"))
    )
    return round(sum(weights) / 1000, 1)


@contextmanager
def _on(chosen: set[int]) -> Iterator[None]:
    """Processes that are started in here have the chosen cores; this one gets its own back."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def clock_offset(page: Page) -> tuple[float, float]:
    """Seconds from the page's performance.now() to this machine's monotonic clock, and how far off that may be.

    The page's own clock reading lies between two of ours: the narrowest of many such pairs counts.
    """
    pairs = []
    for _ in range(100):
        before = time.monotonic()
        shown = page.evaluate("performance.now()") / 1000
        after = time.monotonic()
        pairs.append((after - before, (before + after) / 2 - shown))
    width, offset = min(pairs)
    return offset, width / 2


def _busy(page: Page) -> dict[str, float]:
    """Processor seconds of Chromium's processes by kind: what is slow with little of it was waiting for the core."""
    browser = page.context.browser
    assert browser is not None
    session = browser.new_browser_cdp_session()
    used: dict[str, float] = {}
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        used[process["type"]] = used.get(process["type"], 0) + process["cpuTime"]
    session.detach()
    return used


def _watch(page: Page, process: LabProcess, race: str) -> dict[str, Any]:
    wire = Wire(page.context.new_cdp_session(page))
    page.goto(f"http://{process.base}/races/{race}/", wait_until="networkidle")
    weight = dict(wire.sent)
    page.locator("#st.race").wait_for(state="attached", timeout=30_000)
    page.wait_for_timeout(2000)
    frames, asked = len(wire.frames), sum(wire.sent.values())
    busy = _busy(page)
    page.wait_for_timeout(UNTRACED_S * 1000)  # a trace has its own cost for the renderer
    busy = {kind: after - busy.get(kind, 0) for kind, after in _busy(page).items()}
    page.evaluate(PROBE)
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=list(page_tasks.CATEGORIES))
    page.wait_for_timeout(SECONDS * 1000)
    probe = page.evaluate("window.probe")
    received = sum(size for _, size in wire.frames[frames:]) + sum(wire.sent.values()) - asked
    offset, unsure = clock_offset(page)
    trace = browser.stop_tracing()
    return {
        "trace": trace,
        "probe": probe,
        "offset": offset,
        "figures": {
            "scripts_and_styles_kb": own(wire.bodies),
            "with_headers_kb": own(wire.sent),
            "first_load_kb": round(sum(weight.values()) / 1000, 1),
            "snapshot_kb": round(wire.frames[0][1] / 1000, 1),
            "kb_per_s": round(received / (UNTRACED_S + SECONDS) / 1000, 2),
            "clock_unsure_ms": round(unsure * 1000, 2),
            "renderer_share": round(busy.get("renderer", 0) / UNTRACED_S, 3),
            "cpu_share": {kind: round(used / UNTRACED_S, 2) for kind, used in busy.items()},
        },
    }


def _frame_rate(frames: list[float]) -> dict[str, float]:
    """Frames counted in each whole second."""
    seconds: dict[int, int] = {}
    for at in frames:
        seconds[int((at - frames[0]) // 1000)] = seconds.get(int((at - frames[0]) // 1000), 0) + 1
    counts = [seconds.get(second, 0) for second in range(max(seconds))]
    return {"fps_median": median(counts), "fps_worst_second": min(counts)}


def _delays(probe: dict[str, Any], offset: float, published: dict[int, float]) -> dict[str, float]:
    shown = {int(tick): at / 1000 + offset for tick, at in probe["ticks"].items()}
    delays = [(at - published[tick]) * 1000 for tick, at in shown.items() if tick in published]
    return {**percentiles(delays, "dom_"), "ticks": len(delays)}


def run() -> dict[str, object]:
    *others, last = sorted(os.sched_getaffinity(0))
    with _on({*others} or {last}), lab(F1_ANOMALY_DETECTION="1") as process:
        race = process.start_race(seed=1)
        with _on({last}):
            playwright = sync_playwright().start()
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            seen = _watch(page, process, race)
            published = process.traced(race, "simulated")
        finally:
            browser.close()
            playwright.stop()
    probe = seen["probe"]
    return {
        **seen["figures"],
        **_frame_rate(probe["frames"]),
        **page_tasks.figures(seen["trace"]),
        **_delays(probe, seen["offset"], published),
        "must_be_under": LIMITS,
    }
