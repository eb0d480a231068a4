from __future__ import annotations

from collections.abc import Iterator

import pytest

from races.live import service as live_service
from races.live.service import LiveService


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveService]:
    """This process's live service, of the test's own."""
    found = LiveService()
    monkeypatch.setattr(live_service, "_service", found)
    yield found
    found._stopping.set()
