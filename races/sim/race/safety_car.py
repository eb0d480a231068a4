"""The queue behind the safety car, in the order of the road: lapped cars stand in it where they are."""

from math import floor

from races.sim.circuits.lane import QUEUE
from races.sim.race.car import RACING, Car
from races.sim.race.field import Field
from races.sim.race.flags import Queue
from races.sim.race.traffic import DROP_BACK, QUEUE_S
from races.sim.settings import STEP_S


def deploy(field: Field, leader: int) -> Queue:
    """The safety car picks up the leader at once; cars ahead of it on the road come round to the queue's end."""
    lap_s = QUEUE * field.track.lap_s
    return Queue(field.progress[leader] + QUEUE_S / lap_s, STEP_S / lap_s)


def queued(field: Field, queue: Queue, car: Car) -> bool:
    """Whether the car drives no faster than the safety car any more."""
    return field.rate[car.index] < 1.05 * queue.rate


def wave_by(field: Field, queue: Queue) -> list[Car]:
    """Let lapped cars past, on to the end of the queue and a lap nearer to the leader; returns them."""
    down = {car.index: _laps_down(field, queue, car.index) for car in field.cars if car.state == RACING}
    queue.waved = {i: laps for i, laps in down.items() if laps > 0}
    return [field.cars[i] for i in queue.waved]


def keep(field: Field, queue: Queue) -> None:
    """Set every rate before a step: nobody passes on the road, and a car that is too far back closes up."""
    behind, rate = 0.0, queue.rate  # of the next one ahead in the queue
    for here, i in _road(field, queue):
        room = here - behind - field.hold[i]
        rate = field.rate[i] = min(field.cars[i].cruise, max(rate + room, DROP_BACK * rate))
        behind = here
    queue.at += queue.rate


def _laps_down(field: Field, queue: Queue, i: int) -> int:
    return floor(queue.at - field.progress[i])


def _road(field: Field, queue: Queue) -> list[tuple[float, int]]:
    """Laps behind the safety car and index of each car, without those that are on their way past it."""
    found = []
    for car in field.cars:
        i = car.index
        if car.state == RACING and field.solid[i]:
            down = queue.waved.get(i)
            if down is None or _laps_down(field, queue, i) < down:
                found.append(((queue.at - field.progress[i]) % 1.0, i))
    return sorted(found)
