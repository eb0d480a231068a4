"""The short code of a race: six letters that stand for the beginning of its id. Nothing is stored for it."""

from __future__ import annotations

import uuid

# Sixteen letters that are not mistaken for each other and make no words. Each stands for four bits of an id.
LETTERS, LENGTH = "bcdfghjkmnprstwx", 6


def short_code(race_id: uuid.UUID) -> str:
    return "".join(LETTERS[int(four, 16)] for four in race_id.hex[:LENGTH])


def ids_of(code: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and the last id with this code; None where the text is no code."""
    bits = [LETTERS.find(letter) for letter in code.lower()]
    if len(bits) != LENGTH or -1 in bits:
        return None
    start = "".join(f"{four:x}" for four in bits)
    return uuid.UUID(start.ljust(32, "0")), uuid.UUID(start.ljust(32, "f"))
