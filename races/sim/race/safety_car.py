"""The queue behind the safety car, in the order of the road: lapped cars stand in it where they are."""

from math import floor

from races.sim.circuits.lane import QUEUE
from races.sim.race.car import RACING, Car
from races.sim.race.field import Field
from races.sim.race.traffic import DROP_BACK, QUEUE_S
from races.sim.settings import STEP_S


class SafetyCar:
    """It picks up the leader at once; whoever is in front of it on the road comes round to the end of the queue."""

    def __init__(self, field: Field, leader: int) -> None:
        lap_s = QUEUE * field.track.lap_s
        self._rate = STEP_S / lap_s
        self._at = field.progress[leader] + QUEUE_S / lap_s
        self._waved: dict[int, int] = {}  # lapped cars let by, to how many laps they were down then

    def queued(self, field: Field, car: Car) -> bool:
        """Whether it drives no faster than the safety car any more."""
        return field.rate[car.index] < 1.05 * self._rate

    def waved(self, i: int) -> bool:
        return i in self._waved

    def wave_by(self, field: Field) -> list[Car]:
        """Let lapped cars past: on to the end of the queue, a lap nearer to the leader; which these are."""
        down = {car.index: self._laps_down(field, car.index) for car in field.cars if car.state == RACING}
        self._waved = {i: laps for i, laps in down.items() if laps > 0}
        return [field.cars[i] for i in self._waved]

    def _laps_down(self, field: Field, i: int) -> int:
        return floor(self._at - field.progress[i])

    def keep(self, field: Field) -> None:
        """Before each step: nobody passes on the road, and who is further back than need be closes up."""
        behind, rate = 0.0, self._rate  # of what is next ahead in the queue
        for here, i in self._road(field):
            room = here - behind - field.hold[i]
            rate = field.rate[i] = min(field.cars[i].cruise, max(rate + room, DROP_BACK * rate))
            behind = here
        self._at += self._rate

    def _road(self, field: Field) -> list[tuple[float, int]]:
        """How far behind the safety car, in laps, and who; without those that are on their way past it."""
        found = []
        for car in field.cars:
            i = car.index
            if car.state == RACING and field.solid[i]:
                down = self._waved.get(i)
                if down is None or self._laps_down(field, i) < down:
                    found.append(((self._at - field.progress[i]) % 1.0, i))
        return sorted(found)
