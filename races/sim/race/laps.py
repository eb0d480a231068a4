"""What a lap costs a car that is alone on the track, and what happens at the line."""

from races.sim.race import wording
from races.sim.race.car import FINISHED, RACING, Car
from races.sim.race.field import FREE, NOWHERE, Field
from races.sim.race.incident_schedule import Incident
from races.sim.race.tyres import COLD_S

# How a driver laps, of his spread: from one lap to the next, and a mood, with what is left of it a lap later.
STEADY, MOOD, MOOD_LASTS = 0.44, 0.22, 0.7
MISTAKES, MISTAKE_S = 0.025, 0.6  # a lap, and the mean loss on a 90 s lap
# Log of the room that a driver leaves to the car ahead; on the first lap.
MARGIN_SPREAD, PACK_MARGIN_SPREAD = 0.14, 0.4
FUEL_KG = 110.0  # at the start
# A leader drives no faster than he has to: by this share of a lead beyond what is safe, a 90 s lap.
SAFE_S, SPARED, MOST_SPARED_S, SPARES_FROM_LAP = 8.0, 0.05, 0.5, 6
# The circuits' reference is the fastest lap of a race, which somebody drives on half-worn tyres on a good day.
REFERENCE_IS_BEST_S = -1.0


def free_pace(field: Field, car: Car) -> float:
    """Seconds for this lap without traffic: Heilmeier's sum of base, car, driver, fuel, tyre and chance."""
    track, scale = field.track, field.scale
    lap = track.lap_s + scale * (REFERENCE_IS_BEST_S + car.ability_s + car.set_s)
    lap += track.circuit.race.fuel_s_per_kg * car.fuel_kg + field.tyres.loss(car.compound, car.age)
    if car.cold:
        lap += scale * COLD_S
    return lap + scale * (car.mood_s + car.random.gauss(0.0, STEADY * car.driver.spread_s))


def begin_lap(field: Field, car: Car) -> None:
    car.lap += 1
    random = car.random
    car.mood_s = MOOD_LASTS * car.mood_s + random.gauss(0.0, MOOD * car.driver.spread_s)
    car.margin = random.lognormvariate(0.0, MARGIN_SPREAD if car.lap > 1 else PACK_MARGIN_SPREAD)
    if random.random() < MISTAKES:
        # the driver will miss a corner of this lap by a little
        turn = car.random.choice(field.track.turns)
        loss = field.scale * car.random.expovariate(1.0 / MISTAKE_S)
        car.will_meet_too(Incident(car.done + turn[0], "mistake", loss_s=loss, turn=turn[1]))
    car.pace_s = free_pace(field, car)
    if car.index == field.order[0] and car.lap >= SPARES_FROM_LAP:
        # what the leader keeps in hand depends on the least lead over the next five, stops to come included
        leads, stops = [], len(car.plan.stops)
        for j in field.order[1:6]:
            if field.solid[j]:
                gap = (field.progress[car.index] - field.progress[j]) * field.track.lap_s
                leads.append(gap - (stops - len(field.cars[j].plan.stops)) * car.view.stop_s)
        spared = min(MOST_SPARED_S, max(0.0, SPARED * (min(leads, default=0.0) - SAFE_S)))
        car.pace_s += field.scale * spared


def sector(car: Car, index: int, when: float) -> None:
    now = round(when * 1000)
    car.sectors_ms[index] = now - car.sector_ms
    car.sector_ms = now


def line(field: Field, car: Car, when: float) -> bool:
    """Complete a lap and begin the next; True where it was the car's last."""
    sector(car, 2, when)
    now = car.sector_ms
    car.last_ms, car.line_ms = now - car.line_ms, now
    car.done += 1
    if car.best_ms is None or car.last_ms < car.best_ms:
        car.best_ms = car.last_ms
    if field.best is None or car.last_ms < field.best[0]:
        field.best = (car.last_ms, car.index)
        # the first laps of a race would all be records, unless there is only one.
        if car.done > (max(1, min(3, field.laps // 4)) if field.laps > 1 else 0):
            field.tell("fastest_lap", wording.fastest_lap(car, car.last_ms), car, value=car.last_ms / 1000)
    statistics, place = field.statistics, field.place
    statistics.overtakes += sum(place[car.index] < place[j] for j in set(car.passed))
    car.passed.clear()
    flying = car.state == RACING and not car.cold and not field.flags.neutralised and car.done > 1
    statistics.laps.append((car.index, car.done, car.last_ms or 0, flying))
    # fuel is used up exactly at the flag: what a safety car saves is spent on the laps after it
    share = field.flags.consumption
    car.fuel_kg -= share * car.fuel_kg / (field.laps - car.done + 1)
    car.age += share * field.tyres.rate * car.driver.tyre_care
    car.tyre_laps += 1
    car.cold = False
    if car.done == field.laps or (field.winner >= 0 and now >= field.winner_ms):
        _take_flag(field, car)
        return True
    begin_lap(field, car)
    return False


def _take_flag(field: Field, car: Car) -> None:
    i = car.index
    car.state, car.mode, car.target = FINISHED, False, -1
    field.rate[i], field.due[i], field.hold[i], field.solid[i] = 0.0, NOWHERE, FREE, False
    field.moved = True
    field.home.append(i)
    if field.winner < 0:
        field.winner, field.winner_ms = i, car.line_ms
