"""What goes wrong, struck where a car gets there."""

from races.sim.race import race_control, wording
from races.sim.race.car import Car
from races.sim.race.field import Field

TOLD_FROM_S = 1.0  # lost by a mistake that race control tells


def strike(field: Field, car: Car) -> None:
    """The car has reached its next incident. Stopping right before the line or in a queue is put off."""
    at = field.progress[car.index]
    if field.flags.neutralised or at % 1.0 > 0.95:
        car.incident_at += 0.06
        return
    incident = car.incidents.pop()
    car.will_meet(car.incidents)
    k = (car.next_point or len(field.track.timing_points)) - 1
    sector = field.track.sector[k]
    if incident.kind in ("accident", "failure"):
        why = "ACCIDENT" if incident.kind == "accident" else "MECHANICAL FAILURE"
        field.retire(car)
        message = wording.stopped_on_track(car, sector, why)
        field.tell("retirement", message, car, position=field.place[car.index] + 1)
        race_control.stopped_car(field, incident, sector, car)
    elif incident.kind == "spin":
        car.owes_s += incident.loss_s
        race_control.yellow(field, sector, wording.off_track(car, sector), car)
    elif incident.kind == "mistake":
        car.owes_s += incident.loss_s
        if incident.loss_s >= TOLD_FROM_S and not field.flags.neutralised:
            field.tell(
                "off_track",
                wording.mistake(car, incident.turn),
                car,
                position=field.place[car.index] + 1,
                value=incident.loss_s,
            )
    elif incident.kind == "garage" and car.lap < field.laps:
        car.broken = True
    elif incident.kind == "puncture" and car.lap < field.laps:
        car.damaged = True
