"""What no page says on its socket: it ends that socket, and nothing else."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import strategies as st

from f1site.asgi import application
from races.live.service import LiveService
from races.models import Race
from races.models.creation import Choice, create_race
from tests.fakes.fuzzing import FEW, MANY, MARKUP, Counted, shapes, sweep

Frame = dict[str, Any]
ACKS = st.integers(0, 10**9).map(lambda tick: f"ack {tick}")
SAID = st.one_of(
    st.text(max_size=40),
    st.sampled_from([*MARKUP, "ack", "ack ", "ack -1", "ack 1 2", "ack ٣", "ack 1\n", "ACK 1", "x" * 99_999]),
    st.from_regex(r"ack .{0,20}"),
    st.integers().map(lambda number: f"ack {number}"),
)  # fmt: skip
FRAMES = st.fixed_dictionaries(
    {}, optional={"text": st.none() | SAID, "bytes": st.none() | st.binary(max_size=9)}
)


def acknowledges(frame: Frame) -> bool:
    said = frame.get("text") or ""
    return frame.get("bytes") is None and re.fullmatch(r"ack [0-9]{1,12}", said, re.ASCII) is not None


HOSTILE = FRAMES.filter(lambda frame: not acknowledges(frame))
PAGES = st.tuples(
    st.lists(ACKS.map(lambda text: {"text": text}), max_size=3), HOSTILE, st.lists(FRAMES, max_size=2)
)


async def says(race: Race, frames: list[Frame]) -> list[int]:
    """The codes that a page is closed with which says all that at once."""
    incoming: asyncio.Queue[Frame] = asyncio.Queue()
    kinds = ("websocket.connect", *["websocket.receive"] * len(frames), "websocket.disconnect")
    for kind, frame in zip(kinds, [{}, *frames, {"code": 1006}], strict=True):
        incoming.put_nowait({"type": kind, **frame})
    codes: list[int] = []

    async def send(message: Frame) -> None:
        codes.extend([message["code"]] if message["type"] == "websocket.close" else [])

    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    path = f"/ws/races/{race.pk}/"
    scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "root_path": "", "headers": headers,
             "query_string": b"", "subprotocols": []}  # fmt: skip
    await application(scope, incoming.get, send)
    return codes


def fuzz(live: LiveService, counted: Counted, at_least: int) -> None:
    race = create_race(Choice("NOR"))
    with asyncio.Runner() as runner:
        assert runner.run(says(race, [{"text": "ack 1"}])) == []
        shown = live.feed.snapshot(str(race.pk))[0]

        def check(page: tuple[list[Frame], Frame, list[Frame]]) -> int:
            before, hostile, after = page
            assert runner.run(says(race, [*before, hostile, *after])) == [4400]
            assert not live.hub.sockets(), "a page that is gone is still held"
            return 1

        sweep(counted, "hostile WebSocket frames", at_least, PAGES, check)
        assert shapes(live.feed.snapshot(str(race.pk))[0]) == shapes(shown)
        runner.run(live.close())


@pytest.mark.django_db(transaction=True)
def test_hostile_frames_close_only_their_socket(live: LiveService, counted: Counted) -> None:
    fuzz(live, counted, FEW)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_many_hostile_frames_close_their_sockets(live: LiveService, counted: Counted) -> None:
    fuzz(live, counted, MANY)
