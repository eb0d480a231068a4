"""Six letters to type for a race: the beginning of its id, so that nothing is stored for them."""

from __future__ import annotations

import uuid

# Sixteen letters that nobody takes for another one and that make no words: each is four bits of an id.
LETTERS, LENGTH = "bcdfghjkmnprstwx", 6


def join_code(race_id: uuid.UUID) -> str:
    return "".join(LETTERS[int(four, 16)] for four in race_id.hex[:LENGTH])


def ids_of(code: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and the last id that begin so; None where it is no code."""
    bits = [LETTERS.find(letter) for letter in code.lower()]
    if len(bits) != LENGTH or -1 in bits:
        return None
    start = "".join(f"{four:x}" for four in bits)
    return uuid.UUID(start.ljust(32, "0")), uuid.UUID(start.ljust(32, "f"))
