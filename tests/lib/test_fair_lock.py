"""A thread that asks for the lock gets it between two pieces, not after all of them."""

from __future__ import annotations

import threading
import time

from races.lib.fair_lock import PIECE, FairLock


def test_an_asker_waits_for_one_piece() -> None:
    lock, taken, seen = FairLock(), 0, []

    def ask() -> None:
        with lock:
            seen.append(taken)

    asker = threading.Thread(target=ask)
    for piece in lock.pieces(range(100 * PIECE)):
        with lock:
            taken += len(piece)
            if piece[0] == 0:
                asker.start()
                while not lock._waiting:
                    time.sleep(0.001)
    asker.join()
    assert seen == [PIECE]
    assert taken == 100 * PIECE


def test_the_holder_may_take_it_again() -> None:
    lock = FairLock()
    with lock, lock:
        pass


def test_an_asker_that_never_comes_stops_nobody() -> None:
    lock = FairLock()
    lock._waiting.append(None)
    assert sum(len(piece) for piece in lock.pieces(range(2 * PIECE))) == 2 * PIECE
