"""From the engine's state to what a tick shows: places by distance, speeds, gaps, and the classification.

Nothing here draws a random number or changes the race: however often one looks, the race is the same.
"""

from __future__ import annotations

from math import floor

from races.sim.race import laps
from races.sim.race.car import BOX, FINISHED, LANE, RETIRED, STATUS, Car
from races.sim.race.field import Field
from races.sim.race.telemetry import CarOnTrack
from races.sim.race.tyres import COMPOUNDS
from races.sim.records import CarState, Classified

NAMES = tuple(compound.name for compound in COMPOUNDS)
COOLING_LAP = 1.7  # lap times: how slowly a car drives back after its flag
USUAL_LOSS_S = 0.9  # what tyres and traffic add to the reference in a usual lap
ABOUT_TO_JOIN_S = 4.0


class Projection:
    """What a tick shows of the field; `distance` counts laps by their share of the lap's length.

    `update` is to be called once a tick.
    """

    def __init__(self, field: Field, seconds: float) -> None:
        """seconds: race time between two updates."""
        self._field = field
        self._kmh = field.track.circuit.length_m / seconds * 3.6
        self._table = field.track.circuit.distance_by_tau
        self._cells = len(self._table) - 1
        self.distance = [self._distance(car) for car in field.cars]
        self._before = list(self.distance)

    def update(self) -> None:
        self._before, self.distance = self.distance, [self._distance(car) for car in self._field.cars]

    def _distance(self, car: Car) -> float:
        p = self._field.progress[car.index]
        state = car.state
        if car.lane and state in (LANE, BOX, RETIRED):
            tau = p - car.done
            if tau > 0.5:  # before the line
                return (
                    car.done
                    + car.lane.entry_share
                    + (1.0 - car.lane.entry_share) * (tau - car.lane.entry) / (1.0 - car.lane.entry)
                )
            return car.done + (car.lane.exit_share - 1.0) * tau / (car.lane.exit - 1.0)
        if state == FINISHED:  # back to the entry of the pits, and parked there
            track, since = self._field.track, self._field.time_s - car.line_ms / 1000
            p += min(since / (COOLING_LAP * track.lap_s), track.lanes.first_entry)
        lap = floor(p)
        at = (p - lap) * self._cells
        cell = int(at)
        here = self._table[cell]
        return lap + here + (self._table[cell + 1] - here) * (at - cell)

    def gap_lap_s(self) -> float:
        """What a lap of distance is worth in gaps: the lap that a leader drives at this point of the race."""
        field = self._field
        left = 1.0 - max(0.0, field.progress[field.order[0]]) / field.laps
        fuel = field.track.circuit.race.fuel_s_per_kg * laps.FUEL_KG * left
        return field.track.lap_s + fuel + (laps.REFERENCE_IS_BEST_S + USUAL_LOSS_S) * field.scale

    def gaps(self) -> list[float]:
        """Seconds behind the leader by car; once the leader is home, as they will be at the line."""
        field, lap_s = self._field, self.gap_lap_s()
        if field.winner < 0:
            first = field.progress[field.order[0]]
            return [(first - p) * lap_s for p in field.progress]
        since = field.time_s - field.winner_ms / 1000
        return [
            (field.laps - field.progress[car.index]) * lap_s
            + ((car.line_ms - field.winner_ms) / 1000 if car.state == FINISHED else since)
            for car in field.cars
        ]

    def on_the_road(self) -> list[CarOnTrack]:
        """For the sensors: every car with the time to the next car in front of it on the road, of any lap."""
        field = self._field
        lap_s, progress = field.track.lap_s, field.progress
        road = sorted((p % 1.0, i) for i, p in enumerate(progress) if field.solid[i])
        gap: list[float | None] = [None] * len(progress)
        for (here, i), (there, _) in zip(road, road[1:] + road[:1], strict=True):
            gap[i] = (there - here) % 1.0 * lap_s
        return [
            (car.code, self.distance[car.index], gap[car.index], car.state != RETIRED) for car in field.cars
        ]

    def cars(self) -> tuple[CarState, ...]:
        """Every car in order of position. After the flag there are no seconds between cars on different laps."""
        field, gaps = self._field, self.gaps()
        home = field.winner >= 0
        front = float(field.laps) if home else field.progress[field.order[0]]
        found: list[CarState] = []
        ahead: tuple[float, int] | None = None  # gap and laps down of the next car up the order
        for position, i in enumerate(field.order, start=1):
            car, down = field.cars[i], max(0, int(front - field.progress[i]))
            gap = interval = None
            if car.state != RETIRED and field.step:
                here = round(gaps[i], 3) if ahead else 0.0
                if ahead:
                    gap = None if home and down else here
                    interval = None if home and down != ahead[1] else round(here - ahead[0], 3)
                ahead = here, down
            found.append(self._state(car, position, gap, interval, down))
        return tuple(found)

    def _state(
        self, car: Car, position: int, gap: float | None, interval: float | None, down: int
    ) -> CarState:
        i, state = car.index, car.state
        distance = self.distance[i]
        lap = floor(distance)
        first, second, third = car.sectors_ms
        return CarState(
            car.driver.code,
            position,
            (distance - self._before[i]) * self._kmh,
            car.done if state == FINISHED else lap + 1,
            distance - lap,
            gap,
            interval,
            down,
            None if car.last_ms is None else car.last_ms / 1000,
            None if car.best_ms is None else car.best_ms / 1000,
            None if first is None else first / 1000,
            None if second is None else second / 1000,
            None if third is None else third / 1000,
            NAMES[car.compound],
            car.tyre_laps,
            car.stint_text,
            car.stops,
            state in (LANE, BOX),
            STATUS[state],
            car.grid,
            car.mode,
        )


def _behind(car: Car, other: Car | None) -> float | None:
    """Seconds between two at the flag, where both have taken it on the same lap."""
    if other is None or other is car or not car.state == other.state == FINISHED or car.done != other.done:
        return None
    return (car.line_ms - other.line_ms) / 1000


def classification(field: Field) -> tuple[Classified, ...]:
    """Every car in order of position, with gaps where two have taken the flag on the same lap."""
    winner = field.cars[field.winner] if field.winner >= 0 else None
    leader = field.progress[field.order[0]]
    found: list[Classified] = []
    ahead: Car | None = None
    for position, i in enumerate(field.order, start=1):
        car = field.cars[i]
        time_s = car.line_ms / 1000 if car.state == FINISHED else None
        line = Classified(
            position=position,
            driver_code=car.code,
            driver_name=car.driver.name,
            team_name=car.team.name,
            grid=car.grid,
            status=STATUS[car.state],
            laps=car.done,
            laps_down=max(0, int(leader - field.progress[i])),
            race_time_s=time_s,
            gap_s=_behind(car, winner),
            interval_s=_behind(car, ahead),
            best_lap_s=None if car.best_ms is None else car.best_ms / 1000,
            last_lap_s=None if car.last_ms is None else car.last_ms / 1000,
            stops=car.stops,
            average_speed_kmh=car.done * field.track.circuit.length_m / time_s * 3.6 if time_s else None,
            tyre=NAMES[car.compound],
            stints=car.stint_text,
        )
        found.append(line)
        ahead = car
    return tuple(found)
