"""Whoever asks for the lock gets it between two pieces, not after everything."""

from __future__ import annotations

import threading
import time

from races.lib.fair_lock import PIECE, FairLock


def test_who_asks_in_the_middle_of_thousands_of_records_waits_for_one_piece() -> None:
    turns, taken, seen = FairLock(), [0], [0]

    def ask() -> None:
        with turns:
            seen[0] = taken[0]

    asker = threading.Thread(target=ask)

    def take(number: int) -> None:
        taken[0] += 1
        if number == 10:
            asker.start()
            while not turns._asking:
                time.sleep(0.001)

    turns.take(range(100 * PIECE), take)
    asker.join()
    assert seen == [PIECE]
    assert taken == [100 * PIECE]


def test_the_holder_may_take_it_again() -> None:
    turns = FairLock()
    with turns, turns:
        pass


def test_an_asker_that_never_comes_to_its_turn_does_not_stop_the_reader() -> None:
    turns = FairLock()
    taken: list[int] = []
    turns._asking.append(None)
    turns.take(range(2 * PIECE), taken.append)
    assert len(taken) == 2 * PIECE
