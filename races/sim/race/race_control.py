"""Race control: it calls flags, safety cars and virtual safety cars, ends them, and waves the chequered flag."""

from races.sim.circuits.lane import CATCH_UP, VIRTUAL, Lane
from races.sim.race import passing, safety_car, traffic, wording
from races.sim.race.car import RACING, Car
from races.sim.race.field import Field
from races.sim.race.flags import Queue
from races.sim.race.incident_schedule import Incident

REACTION_S = 7.0  # from the incident to the safety car
YELLOW_S, SPIN_YELLOW_S = 35.0, 14.0  # marshals clear a car; a car that goes on
ENDING_S = 11.0  # from the message to the end of a virtual safety car
MODE_AFTER_LAPS = 1  # overtake mode is off for this long after a restart


def lane_for(field: Field, car: Car) -> Lane:
    """The pit lane as it is driven under the present flag."""
    lanes, queue = field.track.lanes, field.flags.queue
    if queue:
        return lanes.queue if safety_car.queued(field, queue, car) else lanes.catching_up
    return lanes.vsc if field.flags.neutralised else lanes.green


def yellow(field: Field, sector: int, message: str, car: Car, seconds: float = SPIN_YELLOW_S) -> None:
    """Show yellow in this sector for so long. A later call may keep it yellow for longer, never for less."""
    flags = field.flags
    if flags.neutralised or field.winner >= 0:
        return
    until = field.at(seconds, _sector_clear, field, sector)
    flags.clear_at[sector] = max(until, flags.clear_at.pop(sector, 0))
    flags.flag = "yellow"
    passing.call_off(field, sector)
    field.tell("yellow", f"YELLOW IN SECTOR {sector} - {message}", car)


def stopped_car(field: Field, incident: Incident, sector: int, car: Car) -> None:
    yellow(field, sector, wording.number(car), car, YELLOW_S)
    if incident.calls:
        field.at(REACTION_S, neutralise, field, incident)


def _sector_clear(field: Field, sector: int) -> None:
    """Clear the sector, unless a later call keeps it yellow or another flag has replaced all yellows."""
    flags = field.flags
    if flags.clear_at.get(sector) == field.step:
        del flags.clear_at[sector]
        if not flags.clear_at:
            flags.flag = "green"
            field.tell("green", "TRACK CLEAR")


def neutralise(field: Field, incident: Incident) -> None:
    """Deploy what the incident calls, unless something is out already or the race is nearly over."""
    flags, leader = field.flags, field.leader()
    left = field.laps - field.progress[leader] if leader >= 0 else 0.0
    if flags.neutralised or field.winner >= 0 or left < (1.0 if incident.calls == "safety_car" else 0.6):
        return
    flags.calls += 1
    flags.flag = incident.calls
    flags.clear_at.clear()
    flags.mode_from_lap = field.laps + 1
    if incident.calls == "vsc":
        flags.lap_s = VIRTUAL * field.track.lap_s
        field.statistics.virtual += 1
        field.tell("vsc", "VIRTUAL SAFETY CAR DEPLOYED")
        field.at(max(25.0, incident.laps * flags.lap_s - ENDING_S), _ending, field, flags.calls)
    else:
        flags.lap_s, flags.queue = CATCH_UP * field.track.lap_s, safety_car.deploy(field, leader)
        flags.queue_laps_left = incident.laps
        field.at(0.0, _keep_queue, field, flags.queue)
        field.statistics.safety_cars += 1
        field.tell("safety_car", "SAFETY CAR DEPLOYED")
    _set_rates(field)


def _ending(field: Field, call: int) -> None:
    if call == field.flags.calls and field.winner < 0:
        field.tell("vsc_ending", "VIRTUAL SAFETY CAR ENDING")
        field.at(ENDING_S, _green, field)


def _keep_queue(field: Field, queue: Queue) -> None:
    if queue is field.flags.queue:
        safety_car.keep(field, queue)
        field.at(0.0, _keep_queue, field, queue)


def _green(field: Field) -> None:
    """Back to racing. After the chequered flag no other is shown, and cars on their way home keep their pace."""
    flags = field.flags
    if not flags.neutralised or field.winner >= 0:
        return
    flags.flag, flags.lap_s, flags.queue_laps_left, flags.queue = "green", 0.0, 0, None
    flags.calls += 1
    flags.mode_from_lap = field.leading_lap() + MODE_AFTER_LAPS
    field.tell("green", "GREEN FLAG - TRACK CLEAR")
    _set_rates(field)


def _set_rates(field: Field) -> None:
    """A flag holds for every car at once, wherever it is between two timing points."""
    for car in field.cars:
        if car.state == RACING:
            passing.give_up(field, car)
            car.mode = False
            traffic.drive_anew(field, car)


def lap_begins(field: Field, car: Car) -> None:
    """Does what race control does when a car has completed a lap and begun its next one."""
    flags = field.flags
    if car.done == 1:
        passing.opening_lap(field, car)
    if car.lap <= flags.leading_lap:
        return
    flags.leading_lap = car.lap
    if car.lap == field.laps > 1:
        field.tell("last_lap", "LAST LAP", car, position=1)
    if not flags.queue:
        return
    flags.queue_laps_left -= 1
    if flags.queue_laps_left == 1:
        field.tell("safety_car_ending", "SAFETY CAR IN THIS LAP")
    elif flags.queue_laps_left == 2:
        lapped = safety_car.wave_by(field, flags.queue)
        if lapped:
            field.tell("lapped_cars", "LAPPED CARS MAY NOW OVERTAKE")
        for car in lapped:
            traffic.drive_anew(field, car)
    elif flags.queue_laps_left <= 0:
        _green(field)


def announce_finishers(field: Field) -> None:
    """Tell the cars that took the flag in this step, once its order is known: by time, not by who moved first."""
    home, field.home = sorted(field.home, key=lambda i: field.place[i]), []
    for i in home:
        car, position = field.cars[i], field.place[i] + 1
        if position == 1:
            field.winner, field.winner_ms = i, car.line_ms
            field.flags.flag = "chequered"
            field.flags.clear_at.clear()
            message = f"CHEQUERED FLAG - {wording.number(car)} WINS"
            field.tell("chequered", message, car, position=1)
        field.tell("finish", wording.finish(car, position), car, position=position, value=car.line_ms / 1000)
