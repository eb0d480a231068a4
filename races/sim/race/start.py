"""From settings to a field on its grid: form of the day, qualifying, strategies, and the getaway."""

from __future__ import annotations

from math import exp

from races.sim.circuits import lane
from races.sim.circuits.track import FIRST_SLOT_M, SLOT_M, Track, load_track
from races.sim.distance import TWO_COMPOUNDS_FROM
from races.sim.race import incident_schedule, laps, standing_start, strategy
from races.sim.race.car import Car
from races.sim.race.field import Field
from races.sim.race.strategy import View
from races.sim.race.tyres import REFERENCE_M, TyreModel
from races.sim.season import load_season
from races.sim.settings import STEP_S, RaceSettings, stream

# How well the weekend suits a car, a driver; and the race day a driver's car, apart from qualifying: sigma a 90 s lap
TEAM_FORM_S, DRIVER_FORM_S, RACE_DAY_S = 0.21, 0.18, 0.17
QUALIFYING_S = 0.05  # sigma of a qualifying lap against that form
SPOILT_LAP = 0.13  # traffic, a flag, a mistake: the lap that counts is a slow one
SPOILT_S = 0.8
TO_THE_BACK = 0.065  # grid penalties: a new engine
START_S = 0.15  # sigma of the getaway
JOSTLE_S, CROWD = 1.15, 8  # lost in the first corners, on the average, from this many places behind pole on
BELIEF = 0.10  # sigma of what a team believes of a compound's wear
WEAR_TODAY, WEAR_SPREAD = 0.35, 0.25  # log of today's wear: temperature, asphalt, choice
# A shorter race wears its tyres faster and has more incidents for its length, by these powers of its share of a
# Grand Prix: enough for a race with stops and stories, less than in full proportion.
WEAR_BY_SHARE, INCIDENTS_BY_SHARE = 0.75, 0.6
START_TYRE_S = (-0.3, 0.0, 1.2)  # of each compound off the line and through the first corners


def line_up(settings: RaceSettings) -> Field:
    track = load_track(settings.circuit)
    share = min(1.0, settings.laps / track.circuit.laps)
    asphalt = exp(WEAR_TODAY + WEAR_SPREAD * stream(settings.seed, "asphalt").uniform(-1.5, 1.5))
    wear = share**-WEAR_BY_SHARE if settings.laps >= TWO_COMPOUNDS_FROM else 1.0
    tyres = TyreModel(asphalt * wear * track.circuit.length_m / REFERENCE_M, track.lap_s / 90.0)
    cars = _cars(settings.seed)
    _qualify(cars, settings.seed)
    for car in cars:
        _prepare(car, track, tyres, settings)
    if settings.incidents:
        drivers, teams = [car.driver for car in cars], [car.team for car in cars]
        random = stream(settings.seed, "incidents")
        drawn = incident_schedule.schedule(drivers, teams, settings.laps, share**INCIDENTS_BY_SHARE, random)
        for car, incidents in zip(cars, drawn, strict=True):
            car.will_meet(incidents)
    field = Field(track, settings.laps, cars, tyres, stream(settings.seed, "field"))
    _to_their_slots(field)
    return field


def _cars(seed: int) -> list[Car]:
    season, form = load_season(), stream(seed, "form")
    teams = {team.name: form.gauss(0.0, TEAM_FORM_S) for team in season.teams}
    cars = []
    for index, driver in enumerate(season.drivers):
        team = season.team_of(driver)
        car = Car(index, driver, team, stream(seed, "car", driver.code))
        car.ability_s = team.pace_s + driver.pace_s + teams[team.name] + form.gauss(0.0, DRIVER_FORM_S)
        cars.append(car)
    return cars


def _qualify(cars: list[Car], seed: int) -> None:
    random, times = stream(seed, "qualifying"), {}
    for car in cars:
        time = car.ability_s + random.gauss(0.0, QUALIFYING_S)
        if random.random() < SPOILT_LAP:
            time += random.expovariate(1.0 / SPOILT_S)
        if random.random() < TO_THE_BACK:
            time += 60.0
        times[car.index] = time
    for place, car in enumerate(sorted(cars, key=lambda car: times[car.index]), start=1):
        car.grid = place


def _prepare(car: Car, track: Track, tyres: TyreModel, settings: RaceSettings) -> None:
    teams = load_season().teams
    car.box = 0.15 + 0.7 * teams.index(car.team) / len(teams)
    car.fuel_kg = laps.FUEL_KG
    car.ability_s += stream(settings.seed, "race day", car.code).gauss(0.0, RACE_DAY_S * car.team.swing)
    random, team = (
        stream(settings.seed, "strategy", car.code),
        stream(settings.seed, "strategy", car.team.name),
    )
    believed = tuple(
        TyreModel(tyres.rate * car.driver.tyre_care * team.gauss(1.0, BELIEF), tyres.scale) for _ in range(3)
    )
    stop_s = lane.stop_cost_s(track.circuit.race, "green", strategy.STANDING_S)
    car.view = View(believed, stop_s, settings.laps >= TWO_COMPOUNDS_FROM)
    taste = [tyre + random.gauss(0.0, 0.8) for tyre in START_TYRE_S]
    compound, car.plan = strategy.before_the_race(car.view, settings.laps, taste, random)
    car.fit(compound)


def _to_their_slots(field: Field) -> None:
    track, random = field.track, field.random
    reactions = []
    for i in field.order:
        car = field.cars[i]
        field.progress[i] = -track.per_metre * (FIRST_SLOT_M + SLOT_M * (car.grid - 1))
        field.due[i], car.next_point = track.timing_points[1], 1
        laps.begin_lap(field, car)
        car.pace_s += standing_start.first_lap_s(track, car.grid)
        car.cruise = STEP_S / car.pace_s
        reactions.append(
            (car, max(standing_start.QUICKEST_S, random.gauss(standing_start.REACTION_S, START_S)))
        )
        car.owes_s += random.expovariate(1.0 / JOSTLE_S) * min(1.0, (car.grid - 1) / CROWD)
    field.alarms[0] = [(standing_start.accelerate, (field, reactions))]
