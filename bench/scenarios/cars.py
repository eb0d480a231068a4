"""What a tick costs by the number of cars: simulated, made into records, encoded, decoded, shown; microseconds each.

Each size in a process of its own with a season of so many teams, the season's own first; beyond them the same again.
CARS_SIZES and CARS_TICKS change it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import django

from bench.harness import ROOT
from races.sim import season as module
from races.worker.records import tick_records

SIZES, TICKS, FIRST = "6,12,22,32", 1500, 60  # ticks at pace 12; the first are the grid's
STAGES = ("simulate", "records", "encode", "decode", "board", "render")
Result = TypeVar("Result")


class Watch:
    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    def of(self, stage: str, work: Callable[[], Result]) -> Result:
        began = time.thread_time()
        done = work()
        self.seconds[stage] += time.thread_time() - began
        return done


def season(cars: int) -> dict[str, Any]:
    """Raises ValueError for an odd number: teams have two cars."""
    if cars % 2 or cars < 2:
        raise ValueError(f"{cars} cars are not whole teams")
    data: dict[str, Any] = json.loads((ROOT / "races/sim/data/season.json").read_text(encoding="utf-8"))
    teams = data["teams"]
    again, rest = divmod(cars // 2, len(teams))
    data["teams"] = [_another(team, series) for series in range(again) for team in teams]
    data["teams"] += [_another(team, again) for team in teams[:rest]]
    return data


def _another(team: dict[str, Any], series: int) -> dict[str, Any]:
    """The same team with other names; the first is itself."""
    mark = f" {series + 1}" if series else ""
    drivers = [
        driver | {
            "code": f"{driver['number'] + 100 * series}" if series else driver["code"],
            "name": driver["name"] + mark,
            "number": driver["number"] + 100 * series,
        }
        for driver in team["drivers"]
    ]  # fmt: skip
    return team | {"name": team["name"] + mark, "drivers": drivers}


def run() -> dict[str, object]:
    sizes = [int(size) for size in os.environ.get("CARS_SIZES", SIZES).split(",")]
    found = {size: _in_its_own_process(size) for size in sizes}
    per_car = {size: round(cell["microseconds"] / size, 1) for size, cell in found.items()}
    return {"by_cars": found, "microseconds_a_car": per_car, "load_average": os.getloadavg()[0]}


def _in_its_own_process(cars: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "season.json").write_text(json.dumps(season(cars)), encoding="utf-8")
        environ = os.environ | {
            "DJANGO_SETTINGS_MODULE": "f1site.settings",
            "F1_VAR_DIR": name,
            "F1_CONFIG": "",
        }
        command = [sys.executable, "-m", __name__, name]
        done = subprocess.run(command, env=environ, cwd=ROOT, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


class Pipeline:
    """One race's way from the simulation to a page's message, without Kafka between."""

    def __init__(self, folder: Path) -> None:
        from races.board.board import Board
        from races.live.rendering.screen import screen_of
        from races.models import Race as Row
        from races.models.race_info import info_for
        from races.sim import Race, load_season
        from races.streams import connection
        from races.streams.config import embedded_settings
        from races.streams.registry.service import Registry
        from races.worker.preparation import settings_of
        from races.worker.records import entry_list

        row = Row(driver_code="NOR", circuit="monza", laps=53, pace=12, seed=1)
        self._codec = connection.connect(embedded_settings(""), Registry(folder / "registry.sqlite3")).codec
        self._codec.prepare()
        self.info, self._names = info_for(row), entry_list(str(row.pk), row.laps, load_season())
        self.sim, self._board, self._screen = (
            Race(settings_of(row)),
            Board(self.info),
            screen_of(self.info, None),
        )
        self.sim.skip_to(FIRST)
        self.watch = Watch()

    def tick(self) -> tuple[int, int]:
        """Bytes of its records, and of the messages made of them."""
        of, codec = self.watch.of, self._codec
        tick = of("simulate", self.sim.advance)
        records = of("records", lambda: list(tick_records(self._names, tick, tick.tick * 200, metrics=True)))
        raw = of("encode", lambda: [(one.role, codec.encode(one.role, one.value)) for one in records])
        values = of("decode", lambda: [(role, codec.decode(role, data)) for role, data in raw])
        shown = [each for each in values if each[0] != "car_metrics"]
        frames = of("board", lambda: [self._board.apply(role, value) for role, value in shown])
        messages = of("render", lambda: [self._screen.show(frame) for frame in frames if frame is not None])
        return sum(len(data) for _, data in raw), sum(len(message.encode()) for message in messages)


def _measure(folder: Path) -> dict[str, Any]:
    module.DATA = folder  # before anybody has read it
    django.setup()
    pipeline = Pipeline(folder)
    sizes: list[tuple[int, int]] = []
    while len(sizes) < int(os.environ.get("CARS_TICKS", TICKS)) and not pipeline.sim.over:
        sizes.append(pipeline.tick())
    ticks = len(sizes)
    stages = {stage: round(seconds / ticks * 1e6) for stage, seconds in pipeline.watch.seconds.items()}
    return {
        "cars": len(pipeline.info.cars),
        "ticks": ticks,
        "microseconds": sum(stages.values()),
        "by_stage": stages,
        "record_bytes": round(sum(record for record, _ in sizes) / ticks),
        "message_bytes": round(sum(message for _, message in sizes) / ticks),
    }


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]))))
