"""Frames packed by hand, against a library that reads them."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from races.live import daphne_frames


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_of_every_length_is_read_by_another_library(size: int) -> None:
    text = "é" + "x" * (size - 2) if size > 1 else "x"
    reader = StreamReader()
    reader.feed_data(daphne_frames.packed(text))
    reading = Frame.parse(reader.read_exact, mask=False, max_size=None)
    with pytest.raises(StopIteration) as done:
        next(reading)
    frame = done.value.value
    assert (frame.opcode, frame.fin) == (Opcode.TEXT, True)
    assert bytes(frame.data).decode() == text
    assert not reader.buffer


class Protocol:
    """As much of Daphne's as matters."""

    STATE_OPEN = 3

    def __init__(self) -> None:
        self.state, self._perMessageCompress, self.transport = 3, None, self
        self.send_queue: list[Any] = []
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


def test_one_message_is_packed_once_for_all_sockets() -> None:
    pages = [Protocol() for _ in range(3)]
    text = "frame" * 100
    assert all(daphne_frames.write(page, text) for page in pages)
    first = pages[0].written[0]
    assert all(page.written[0] is first for page in pages)


@pytest.mark.parametrize(
    ("name", "value"), [("state", 1), ("_perMessageCompress", object()), ("send_queue", [1])]
)
def test_a_socket_that_needs_the_library_is_left_to_it(name: str, value: Any) -> None:
    page = Protocol()
    setattr(page, name, value)
    assert not daphne_frames.write(page, "frame")
    assert page.written == []
