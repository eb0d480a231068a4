"""Scripts and styles come compressed to whoever takes that, and as they are to others."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("races/board.js", "races/race.css", "races/icon.svg")


def body(answer: Any) -> bytes:
    return b"".join(answer)


@pytest.mark.parametrize("name", NAMES)
def test_files_come_compressed(client: Client, name: str) -> None:
    source = (ROOT / "static" / name).read_bytes()
    for _ in range(2):  # the second time from memory
        answer = client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip, br"})
        sent = body(answer)
        assert answer["Content-Encoding"] == "gzip"
        assert int(answer["Content-Length"]) == len(sent)
        assert "Accept-Encoding" in answer["Vary"]
        assert gzip.decompress(sent) == source


@pytest.mark.parametrize("name", NAMES)
def test_files_come_as_they_are(client: Client, name: str) -> None:
    answer = client.get(f"/static/{name}")
    assert "Content-Encoding" not in answer
    assert body(answer) == (ROOT / "static" / name).read_bytes()
