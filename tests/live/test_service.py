"""The service's own tasks do not wait for each other's threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from races.live.service import LiveService

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
