"""The SQL workspace in Chromium on make flink: Run to the first row, rows a second, and long tasks of the page.

A race runs, so `SELECT * FROM positions` gives 110 rows a second. The first statement warms Flink and is not counted.
BENCH_SHOTS names a folder for screenshots: wide, narrow, and with a large font.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.harness import load_average
from bench.scenarios import page_tasks
from bench.scenarios.flink import MakeFlink
from bench.services.chromium import chromium_path
from bench.services.language_model import serve_model

WATCHED_S = 20
ROW_LIMIT_MS = 30_000
TRIES = 5
FIRST_ROW = f"""() => new Promise((done, failed) => {{
  const results = document.querySelector('#results');
  const before = results.querySelectorAll('.card').length;
  const begun = performance.now();
  const look = () => {{
    const cards = results.querySelectorAll('.card');
    const row = cards.length > before && cards[0].querySelector('[data-pane=table] tbody tr:not([hidden]) td');
    if (row && row.textContent) done(performance.now() - begun);
    else if (performance.now() - begun > {ROW_LIMIT_MS}) failed(new Error('no row'));
    else requestAnimationFrame(look);
  }};
  look();
}})"""
TOTAL = "() => parseInt(document.querySelector('.card .facts').textContent.replace(/,/g, ''), 10)"


def first_row_ms(page: Page, sql: str) -> float:
    """Milliseconds from the key that runs the statement to its first row on the page. It is stopped afterwards."""
    page.focus("#sql-text")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(sql)
    page.evaluate(f"window.firstRow = ({FIRST_ROW})(); 0")
    page.keyboard.press("Control+Enter")
    took = float(page.evaluate("window.firstRow"))
    stop(page)
    return took


def stop(page: Page) -> None:
    page.keyboard.press("Alt+.")
    newest = page.locator(".card").first
    newest.locator(".state", has_text="stopped").wait_for(timeout=ROW_LIMIT_MS)


def watched(page: Page) -> dict[str, Any]:
    """The page while rows come: how many a second it has taken in, and its long tasks."""
    page.focus("#sql-text")
    page.keyboard.press("Control+Enter")
    page.locator(".card [data-pane=table] tbody tr").first.wait_for(timeout=ROW_LIMIT_MS)
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=list(page_tasks.CATEGORIES))
    first, began = page.evaluate(TOTAL), time.monotonic()
    page.wait_for_timeout(WATCHED_S * 1000)
    rows = (page.evaluate(TOTAL) - first) / (time.monotonic() - began)
    found = page_tasks.figures(browser.stop_tracing())
    shoot(page, "running")
    stop(page)
    kept = {name: found[name] for name in ("long_tasks", "longest_task_ms")}
    return {"rows_a_second": round(rows), **kept, "some_long_ones": found["long_ones"][:3]}


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("BENCH_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def run() -> dict[str, object]:
    figures: dict[str, object] = {"load_before": load_average()}
    with tempfile.TemporaryDirectory() as name, serve_model(0.2) as model, sync_playwright() as playwright:
        flink = MakeFlink(Path(name), model.url)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        try:
            flink.start()
            flink.lab().start_race(seed=1, laps=40)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"http://{flink.base}/sql/")
            figures["cold_first_row_ms"] = round(first_row_ms(page, "SELECT * FROM positions"))
            taken = [first_row_ms(page, "SELECT * FROM positions") for _ in range(TRIES)]
            figures["first_row_ms"] = {"median": round(median(taken)), "most": round(max(taken))}
            figures["watched"] = watched(page)
            page.set_viewport_size({"width": 360, "height": 800})
            shoot(page, "narrow")
            page.evaluate("document.documentElement.style.fontSize = '20px'")
            shoot(page, "narrow-large-font")
            page.set_viewport_size({"width": 1440, "height": 900})
            shoot(page, "large-font")
        finally:
            browser.close()
            figures["to_stop_s"] = round(flink.stop(), 1)
    return {**figures, "load_after": load_average()}
