"""Races the tests share: short ones, on the shortest lap."""

from functools import cache

from races.sim import Race, RaceSettings, Tick

CIRCUIT, LAPS, PACE = "spielberg", 8, 12


def settings(
    seed: int = 1, laps: int = LAPS, pace: int = PACE, circuit: str = CIRCUIT, incidents: bool = True
) -> RaceSettings:
    return RaceSettings(circuit, laps, pace, seed, incidents)


def run(race: Race) -> list[Tick]:
    ticks = []
    while not race.over:
        ticks.append(race.advance())
    return ticks


@cache
def whole(seed: int = 1, pace: int = PACE, incidents: bool = True) -> tuple[Race, tuple[Tick, ...]]:
    race = Race(settings(seed, pace=pace, incidents=incidents))
    return race, tuple(run(race))
