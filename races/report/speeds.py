"""Speed along the lap, from the recorded frames: the mean of each car's green laps in equal stretches of the lap."""

from __future__ import annotations

import uuid
from collections import defaultdict
from functools import lru_cache

from races.board.storage import unpack_frames
from races.models import Race

STRETCHES = 25
MOST_CHUNKS = (
    600  # of a second each: a race in real time has thousands, and as good a mean from a part of them
)
RACES_KEPT = 16
Bins = tuple[float | None, ...]


def speeds_of(race: Race) -> dict[str, Bins]:
    """Returns the mean speed in km/h of each car on each stretch; None for a stretch where it was never seen."""
    return _speeds(race.pk, race.chunks.count())


@lru_cache(maxsize=RACES_KEPT)
def _speeds(race_id: uuid.UUID, chunks: int) -> dict[str, Bins]:
    """Reads an ended race once. chunks: how many it has, part of the cache's key."""
    sums: dict[str, list[list[float]]] = defaultdict(lambda: [[0.0, 0] for _ in range(STRETCHES)])
    race = Race.objects.only("pk").get(pk=race_id)
    firsts = list(race.chunks.values_list("pk", flat=True))
    every = max(1, -(-chunks // MOST_CHUNKS))
    for chunk in race.chunks.filter(pk__in=firsts[::every]).iterator():
        for frame in unpack_frames(bytes(chunk.data)):
            if frame["phase"] != "race" or frame["flag"] != "green":
                continue
            for car in frame["cars"]:
                if car["status"] == "racing" and car["lap"] > 1:
                    total = sums[car["driver_code"]][int(car["lap_fraction"] * STRETCHES) % STRETCHES]
                    total[0] += car["speed"]
                    total[1] += 1
    return {
        code: tuple(total / count if count else None for total, count in stretches)
        for code, stretches in sums.items()
    }
