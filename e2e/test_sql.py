"""The SQL workspace in a real browser, with the keyboard first. Flink is the small fake of its gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from bench.services.registry_http import serve
from e2e.conftest import Lab
from races.streams.embedded import EmbeddedKafka
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES
from tests.fakes.flink_gateway import FakeGateway, fake_gateway

pytestmark = pytest.mark.browser
TOPICS = (
    *DEFAULT_NAMES.values(),
    "my-overtakes",
)  # the broker inside librdkafka makes topics for producers only
CONFIG = """
kafka:
  bootstrap.servers: '{kafka}'
  schema_registry_url: '{registry}'
flink:
  gateway_url: '{flink}'
  rest_url: '{flink}'
"""


@pytest.fixture(scope="module")
def flink() -> Iterator[FakeGateway]:
    with fake_gateway() as fake:
        yield fake


@pytest.fixture(scope="module")
def sql_lab(flink: FakeGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab whose Kafka is configured, and so is its Flink."""
    folder = tmp_path_factory.mktemp("sql")
    with EmbeddedKafka(TOPICS) as kafka, serve(Registry()) as registry:
        config = folder / "config.yaml"
        config.write_text(CONFIG.format(kafka=kafka.bootstrap, registry=registry.url, flink=flink.url))
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("F1_CONFIG", str(config))
            lab = Lab(folder)
            lab.start()
            yield lab
            lab.stop()


@pytest.fixture
def desk(page: Page, sql_lab: Lab) -> Iterator[Page]:
    page.goto(f"{sql_lab.address}/sql/")
    expect(page.locator("#sql-text")).to_be_focused()
    yield page
    # In one step inside the page: a statement may end by itself between a look and a click.
    page.evaluate(
        "document.querySelectorAll('.card .stop').forEach(stop => stop.checkVisibility() && stop.click())"
    )


def write(page: Page, text: str, press: str = "Control+Enter") -> None:
    page.focus("#sql-text")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.keyboard.press(press)


def test_run_and_stop_by_keys(desk: Page) -> None:
    write(desk, "SELECT * FROM ticker")
    card = desk.locator(".card").first
    expect(card.locator(".state")).to_have_text("running")
    expect(card.locator("[data-pane=table] tbody tr")).not_to_have_count(0)
    desk.keyboard.press("Alt+.")
    expect(card.locator(".state")).to_have_text("stopped")
    expect(card.locator(".why")).to_have_text("You stopped it.")


def test_live_table_and_its_changelog(desk: Page) -> None:
    write(desk, "SELECT n % 2 AS k, COUNT(*) AS c FROM ticker GROUP BY n % 2")
    card = desk.locator(".card").first
    expect(card.locator("[data-pane=table] tbody tr")).to_have_count(2)
    card.get_by_role("tab", name="Table").press("ArrowRight")
    expect(card.locator("td.op", has_text="-U").first).to_be_visible()
    expect(card.locator("td.op", has_text="+U").first).to_be_visible()


def test_rows_in_sight_are_drawn(desk: Page) -> None:
    """While a statement runs, the page lays out what is in sight; a scroll brings more, the end all that it keeps."""
    write(desk, "SELECT * FROM ticker")
    card = desk.locator(".card").first
    rows = card.locator("[data-pane=table] tbody tr")
    expect(card.locator(".facts")).to_contain_text(re.compile(r"\d\d\d changes"))
    drawn = rows.count()
    assert 10 < drawn < 100
    card.locator("[data-pane=table]").evaluate("pane => pane.scrollTo(0, pane.scrollHeight)")
    expect(rows).not_to_have_count(drawn)
    desk.keyboard.press("Alt+.")
    expect(rows).to_have_count(100)


def test_side_by_side(desk: Page) -> None:
    before = desk.locator(".card").count()
    write(desk, "SELECT * FROM a;\nSELECT * FROM b", "Control+A")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator(".card")).to_have_count(before + 2)
    first, second = (desk.locator(".card").nth(place).bounding_box() for place in (0, 1))
    assert first and second and first["y"] == second["y"]


def test_error_is_marked(desk: Page) -> None:
    write(desk, "SELECT 1;\nSELECT\n  nope FROM x")
    expect(desk.locator(".card").first.locator(".why")).to_have_text("Column 'nope' not found in any table")
    expect(desk.locator(".error-mark mark")).to_have_text("nope")
    write(desk, "ADD JAR 'x'")
    expect(desk.locator("#problem")).to_contain_text("does not run ADD")


def test_explain_is_a_tree(desk: Page) -> None:
    write(desk, "SELECT n FROM ticker WHERE n > 1", "Control+Shift+Enter")
    expect(desk.locator(".card .plan ul b").first).to_have_text("TableSourceScan")


def test_completion(desk: Page) -> None:
    desk.focus("#sql-text")
    desk.keyboard.press("Control+A")
    desk.keyboard.type("SELECT best_l")
    expect(desk.locator(".pce-ac-row").first).to_contain_text("best_lap_s")
    desk.keyboard.press("Tab")
    expect(desk.locator("#sql-text")).to_have_value("SELECT `best_lap_s`")


def test_history_is_the_browser_s(desk: Page) -> None:
    write(desk, "SHOW TABLES")
    desk.keyboard.press("Alt+h")
    entry = desk.locator("#history-list button", has_text="SHOW TABLES").first
    expect(entry).to_be_visible()
    entry.click()
    expect(desk.locator("#sql-text")).to_have_value("SHOW TABLES")


def test_text_is_kept_over_a_reload(desk: Page) -> None:
    write(desk, "SELECT 'my work'", "End")
    desk.reload()
    expect(desk.locator("#sql-text")).to_have_value("SELECT 'my work'")


def test_what_runs_is_listed_after_a_reload(desk: Page) -> None:
    write(desk, "SELECT * FROM ticker")
    expect(desk.locator(".card .state").first).to_have_text("running")
    desk.reload()
    expect(desk.locator(".card", has_text="SELECT * FROM ticker").first).to_be_visible()


def test_own_topic(desk: Page, flink: FakeGateway) -> None:
    desk.locator(".example", has_text="A topic of your own").click()
    desk.keyboard.press("Control+A")
    desk.keyboard.press("Control+Enter")
    card = desk.locator(".card", has_text="INSERT INTO `my-overtakes`").first
    expect(card.locator(".state")).to_have_text("running", timeout=20_000)
    expect(card.locator(".facts")).to_contain_text("writes until you stop it")
    assert any("'topic' = 'my-overtakes'" in sql for sql, _ in flink.statements)


@pytest.mark.parametrize(
    ("width", "font"),
    [(360, 20), *(pytest.param(*both, marks=pytest.mark.full) for both in ((360, 16), (1440, 20)))],
)
def test_nothing_scrolls_sideways(context: BrowserContext, sql_lab: Lab, width: int, font: int) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{sql_lab.address}/sql/")
    page.locator("#sql-text").wait_for()
    page.evaluate(f"document.documentElement.style.fontSize = '{font}px'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["dark", pytest.param("light", marks=pytest.mark.full)])
def test_accessible(desk: Page, scheme: Literal["dark", "light"]) -> None:
    desk.emulate_media(color_scheme=scheme)
    write(desk, "SELECT n % 2 AS k, COUNT(*) AS c FROM ticker GROUP BY n % 2")
    expect(desk.locator(".card").first.locator("[data-pane=table] tbody tr")).to_have_count(2)
    found = Axe().run(desk).response["violations"]
    assert [(one["id"], one["nodes"][0]["target"]) for one in found] == []
