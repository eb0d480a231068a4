"""What goes wrong, struck where a car gets there."""

from races.sim import wording
from races.sim.race.car import Car
from races.sim.race.field import Field
from races.sim.race.incident_schedule import Trouble


def strike(field: Field, car: Car) -> None:
    """The car has reached its next trouble. Stopping right before the line or in a queue is put off."""
    at = field.progress[car.index]
    if field.control.neutralised or at % 1.0 > 0.95:
        car.trouble_at += 0.06
        return
    trouble = car.troubles.pop()
    car.trouble_at = car.troubles[-1].at if car.troubles else float("inf")
    k = (car.mark or len(field.track.marks)) - 1
    sector = field.track.sector[k]
    if trouble.kind in ("accident", "failure"):
        _stop(field, car, trouble, sector)
    elif trouble.kind == "spin":
        car.owes_s += trouble.loss_s
        field.control.yellow(field, sector, wording.off_track(car, sector), car)
    elif trouble.kind == "garage" and car.lap < field.laps:
        car.broken = True
    elif trouble.kind == "puncture" and car.lap < field.laps:
        car.damaged = True


def _stop(field: Field, car: Car, trouble: Trouble, sector: int) -> None:
    why = "ACCIDENT" if trouble.kind == "accident" else "MECHANICAL FAILURE"
    field.retire(car)
    field.tell(
        "retirement", wording.stopped_on_track(car, sector, why), car, position=field.place[car.index] + 1
    )
    field.control.stopped_car(field, trouble, sector, car)
