"""What every variant of the fan-out benchmark sends: a race's records as bytes, and the page's messages for them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.harness import ROOT

FIRST_TICK = 100  # well after the start: an ordinary stretch of a race
TICKS = 1500


@dataclass(frozen=True, slots=True)
class Material:
    """records: (role, key, value) for each tick from FIRST_TICK on; messages: the page's, for the same ticks."""

    race_id: str
    records: list[list[tuple[str, bytes, bytes]]]
    messages: list[str]
    snapshot: str
    timestamps: list[int]


def make(folder: Path) -> Material:
    """A database with the race, and the material in folder/material."""
    environ = {
        **os.environ,
        "F1_VAR_DIR": str(folder),
        "F1_CONFIG": "",
        "DJANGO_SETTINGS_MODULE": "f1site.settings",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], env=environ, check=True, cwd=ROOT)
    subprocess.run([sys.executable, "-m", __name__, str(folder)], env=environ, check=True, cwd=ROOT)
    return load(folder)


def load(folder: Path) -> Material:
    return Material(*pickle.loads((folder / "material").read_bytes()))


def _enter() -> Any:
    from races.models import Race
    from races.models.creation import Choice, create_race

    race = create_race(Choice("NOR", laps=53, seed=1))
    Race.objects.filter(pk=race.pk).update(status=Race.Status.RUNNING)
    return race


def _write(folder: Path) -> None:
    import django

    django.setup()
    from races.board.board import Board
    from races.board.race_info import RaceInfo
    from races.live.rendering.screen import screen_of
    from races.sim import Race, load_season
    from races.streams import connection
    from races.streams.config import embedded_settings
    from races.streams.registry.service import Registry
    from races.worker.preparation import settings_of
    from races.worker.records import entry_list, tick_records

    race = _enter()
    codec = connection.connect(embedded_settings(""), Registry(folder / "registry.sqlite3")).codec
    codec.prepare()
    info = RaceInfo.from_json(race.frozen)
    board, screen, sim = Board(info), screen_of(info, None), Race(settings_of(race))
    names = entry_list(str(race.pk), race.laps, load_season())
    records: list[list[tuple[str, bytes, bytes]]] = []
    messages: list[str] = []
    timestamps: list[int] = []
    snapshot = ""
    sim.skip_to(FIRST_TICK - 1)
    while len(messages) < TICKS:
        tick = sim.advance()
        timestamps.append(1_780_000_000_000 + tick.tick * 200)
        found = list(tick_records(names, tick, timestamps[-1], metrics=False))
        records.append([(one.role, one.key.encode(), codec.encode(one.role, one.value)) for one in found])
        frames = [frame for one in found if (frame := board.apply(one.role, one.value)) is not None]
        messages.append("".join(screen.show(frame) for frame in frames))
        snapshot = snapshot or screen.snapshot()
    material = (str(race.pk), records, messages, snapshot, timestamps)
    (folder / "material").write_bytes(pickle.dumps(material))


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
