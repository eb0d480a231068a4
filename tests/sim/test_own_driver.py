"""The person's driver wins no more often than the same driver does otherwise: the race does not know who was picked."""

import hashlib
import json
from dataclasses import asdict

import pytest
from django.test import override_settings

from races.models.creation import Choice, create_race
from races.sim import Race as Simulation
from races.sim import load_season
from races.worker.preparation import settings_of
from races.worker.records import entry_list, tick_records

pytestmark = pytest.mark.django_db
CODES = [driver.code for driver in load_season().drivers]


def _entered(code: str, seed: int) -> Simulation:
    """A race as a person enters it and the worker prepares it."""
    choice = Choice(code, circuit="spielberg", laps=3, pace=20, seed=seed)
    with override_settings(F1_MAX_RACES=0):
        return Simulation(settings_of(create_race(choice)))


def _published(sim: Simulation) -> str:
    """Digest of every record, race control's, positions' and engine's, under one name of the race."""
    field, digest = entry_list("the race", sim.settings.laps, load_season()), hashlib.sha256()
    while not sim.over:
        tick = sim.advance()
        for record in tick_records(field, tick, tick.tick * 200, metrics=True):
            digest.update(json.dumps(asdict(record)).encode())
    return digest.hexdigest()


def test_whoever_is_picked_the_race_is_the_same() -> None:
    first, *others = [_entered(code, seed=4) for code in CODES]
    whole = _published(first)
    assert all(sim.settings == first.settings for sim in others)
    assert [_published(sim) for sim in (others[3], others[-1])] == [whole, whole]
    assert _published(_entered(CODES[0], seed=5)) != whole


def test_picking_a_driver_moves_no_place() -> None:
    """The slowest car's driver, picked and not picked, over the same seeds."""
    places: dict[str, list[int]] = {"BOT": [], "ANT": []}
    for seed in range(6):
        for picked, found in places.items():
            sim = _entered(picked, seed)
            while not sim.over:
                sim.advance()
            found.append(next(line.position for line in sim.classification() if line.driver_code == "BOT"))
    assert places["BOT"] == places["ANT"]
    assert len(set(places["BOT"])) > 1
