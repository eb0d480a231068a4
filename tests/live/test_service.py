"""The service's own tasks do not wait for each other's threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from races.live.service import LiveService
from races.live.watched_race import Page
from races.models import Race
from tests.live import synthetic

MORE_THAN_SHARED = 64  # threads; asyncio's own pool has at most 32


def test_footers_do_not_wait_for_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = LiveService()
    database, told = threading.Event(), threading.Event()
    monkeypatch.setattr(live, "_show_pipeline", told.set)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        pages = [loop.run_in_executor(None, database.wait, 20) for _ in range(MORE_THAN_SHARED)]
        footers = asyncio.create_task(live.publish_throughput())
        for _ in range(100):
            await asyncio.sleep(0.05)
            if told.is_set():
                break
        footers.cancel()
        in_time = told.is_set()
        database.set()
        await asyncio.gather(*pages)
        await live.close()
        assert in_time

    asyncio.run(story())


def test_first_page_has_fresh_ages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is asked for between two rounds of the footers computes the ages anew, once a tick at most."""
    now, shown = [100.0], list[float]()
    live = LiveService(clock=lambda: now[0])
    monkeypatch.setattr(live.feed, "set_pipeline", lambda pipeline, at: shown.append(at))
    monkeypatch.setattr(live.feed, "page", lambda race_id: Page(synthetic.info(), None, {}))
    live._show_pipeline()
    for now[0] in (100.1, 100.5, 100.6, 100.9):
        live.page(Race())
    assert shown == [100.0, 100.5, 100.9]
