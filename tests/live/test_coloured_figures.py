"""Colour is for news: how many of the tower's figures have one in races that were simulated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from races.board.board import Board
from races.board.frames import Frame
from races.board.race_info import CarInfo, RaceInfo, TrackInfo
from races.live.rendering import tower
from races.sim import Race, RaceSettings, load_circuit, load_season
from races.worker.records import entry_list, tick_records
from tests.live import synthetic
from tests.live.synthetic import START

TIMED = ("int", "last", "best", "s1", "s2", "s3")


def raced(settings: RaceSettings) -> Iterator[Frame]:
    """The frames of a simulated race, from the lights to the flag."""
    circuit, season = load_circuit(settings.circuit), load_season()
    info: RaceInfo = replace(
        synthetic.info(laps=settings.laps), pace=settings.pace, length_m=circuit.length_m,
        track=TrackInfo(sectors=circuit.sectors),
        cars=tuple(CarInfo(one.code, one.name, one.number, one.team) for one in season.drivers),
    )  # fmt: skip
    board, simulation = Board(info), Race(settings)
    field = entry_list(info.race_id, settings.laps, season)
    while not simulation.over:
        tick = simulation.advance()
        for record in tick_records(field, tick, START + tick.tick * 200, False):
            if record.role == "positions":
                board.apply("positions", record.value)
        if board.frame is not None and board.frame["phase"] == "race":
            yield board.frame


@pytest.mark.parametrize(("circuit", "seed", "laps"), [("monza", 1, 10), ("monaco", 2, 12), ("spa", 3, 8)])
def test_few_figures_are_coloured(circuit: str, seed: int, laps: int) -> None:
    """At most 15 % of the cells with times, in the mean of a race."""
    coloured = seen = 0
    for frame in raced(RaceSettings(circuit, laps, 12, seed)):
        attackers, cells = tower.attackers(frame["cars"]), dict[str, str]()
        for car in frame["cars"]:
            tower.fast_cells(cells, car, frame["phase"], car["driver_code"] in attackers)
        timed = [cell for name, cell in cells.items() if name.partition("-")[0] in TIMED]
        coloured += sum(bool(re.search('class="[^"]+"', cell)) for cell in timed)
        seen += len(timed)
    assert coloured / seen <= 0.15
