"""Pages beside one that acknowledges and never reads: each gets every frame, in order, on both servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.beside import Reader, Site, site
from tests.live.played import by_ticks

READERS = 8
TAKES = 4096  # bytes: the stuck page's system takes little for it
MOST, FURTHER = 600, 30  # ticks: until frames are left out for the stuck page, and from then on


def play(lab: Site, readers: list[Reader], stuck: Reader) -> None:
    frame = lab.tick(long=True)
    for reader in readers:
        reader.gets(frame)
    stuck.acknowledge()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_a_stuck_page_costs_others_nothing(kind: str, tmp_path: Path) -> None:
    with site(kind, tmp_path) as lab, lab.page(TAKES) as page:
        readers, stuck = [lab.reader() for _ in range(READERS)], Reader(page)
        while not (left_out := lab.metric("f1_frames_skipped_total")):
            assert lab.played.ticks < MOST, "it was never stuck"
            for _ in range(10):
                play(lab, readers, stuck)
        for _ in range(FURTHER):
            play(lab, readers, stuck)
        assert lab.metric("f1_frames_skipped_total") >= left_out + FURTHER
        newest = lab.played.snapshot()
        while newest not in [by_ticks(text.decode()) for text in page.read()]:
            assert page.protocol.state.name == "OPEN"
