"""The race info: names, colours and track when the race was created. It is stored with it, so history stays true."""

from __future__ import annotations

from races.board.race_info import CarInfo, RaceInfo, TrackInfo
from races.models.history import Entry
from races.models.race import Race
from races.sim import load_circuit, load_season, stop_cost_s


def info_for(race: Race) -> RaceInfo:
    circuit, season = load_circuit(race.circuit), load_season()
    colours = {team.name: team.colour for team in season.teams}
    drawing = circuit.drawing
    return RaceInfo(
        race_id=str(race.pk),
        circuit=circuit.slug,
        circuit_name=circuit.name,
        laps=race.laps,
        pace=race.pace,
        seed=race.seed,
        own_code=race.driver_code,
        cars=tuple(
            CarInfo(driver.code, driver.name, driver.number, driver.team, colours[driver.team])
            for driver in season.drivers
        ),
        country=circuit.country,
        length_m=circuit.length_m,
        track=TrackInfo(
            outline=tuple((round(x, 1), round(y, 1)) for x, y in drawing.outline),
            pit=tuple((round(x, 1), round(y, 1)) for x, y in drawing.pit_lane),
            pit_entry=circuit.pit.entry,
            pit_exit=circuit.pit.exit,
            sectors=circuit.sectors,
            corners=tuple((number, round(share, 4)) for number, share in circuit.corners),
            detection=round(circuit.detection, 4),
        ),
        pit_loss_s={
            flag: stop_cost_s(circuit.race, flag, STANDING_S) for flag in ("green", "vsc", "safety_car")
        },
    )


STANDING_S = 2.7  # the usual stop, stationary


def entries_for(race: Race, info: RaceInfo) -> list[Entry]:
    return [
        Entry(
            race=race,
            driver_code=car.code,
            driver_name=car.name,
            number=car.number,
            team_name=car.team,
            colour=car.colour,
            own=car.code == info.own_code,
        )
        for car in info.cars
    ]
