"""The getaway: one curve of speed for every car and circuit, until the lap itself asks for no more."""

from functools import cache

from races.sim.circuits.speed import POWER_PER_MASS
from races.sim.circuits.track import FIRST_SLOT_M, SLOT_M, Track
from races.sim.race import traffic
from races.sim.race.car import RACING, Car
from races.sim.race.field import FREE, Field
from races.sim.settings import STEP_S

TRACTION = 10.8  # m/s^2 off the line, after drag: 100 km/h in 2.6 s, 200 in 5.1
DRAG_SPEED = 330 / 3.6  # m/s, where the engine's power equals the drag
REACTION_S, QUICKEST_S = 0.25, 0.1
CURVE_STEP_S, LONGEST_S = 0.02, 20.0  # of the curve


@cache
def _curve() -> tuple[float, ...]:
    """Speeds in m/s, one every CURVE_STEP_S from the car's first move on."""
    speeds = [0.0]
    while len(speeds) * CURVE_STEP_S < LONGEST_S:
        v = speeds[-1]
        drag = POWER_PER_MASS * v * v / DRAG_SPEED**3
        speeds.append(v + CURVE_STEP_S * min(TRACTION, POWER_PER_MASS / max(v, 1.0) - drag))
    return tuple(speeds)


def speed_ms(seconds: float) -> float:
    """Speed so many seconds after the car's first move."""
    curve = _curve()
    return curve[min(len(curve) - 1, max(0, round(seconds / CURVE_STEP_S)))]


def _share(track: Track, tau: float, seconds: float) -> float:
    """Speed as a fraction of the reference lap's at this tau."""
    return speed_ms(seconds) * 3.6 / track.circuit.speed_kmh(tau % 1.0, track.lap_s)


@cache
def loss(track: Track) -> tuple[float, float]:
    """Seconds that the getaway costs pole against a flying lap, and the tau where it has caught up with one."""
    start = tau = -track.per_metre * FIRST_SLOT_M
    seconds = 0.0
    while (share := _share(track, tau, seconds - REACTION_S)) < 1.0:
        tau += share * CURVE_STEP_S / track.lap_s
        seconds += CURVE_STEP_S
    return seconds - (tau - start) * track.lap_s, tau


def first_lap_s(track: Track, grid: int) -> float:
    """What a car's first lap takes longer than its pace apart from the getaway: the rest of the published losses.

    It may be negative: the getaway is the same everywhere, the published loss is not.
    """
    race, (launch_s, caught_up) = track.circuit.race, loss(track)
    slot_s = race.grid_loss_s - track.per_metre * SLOT_M * track.lap_s  # the way that a slot adds is driven
    return (race.first_lap_loss_s - launch_s + slot_s * (grid - 1)) / (1.0 - caught_up)


def accelerate(field: Field, cars: list[tuple[Car, float]]) -> None:
    """Set the rates of the cars that still gather speed, each given with its reaction time; repeats every step.

    Nobody queues before the first corner.
    """
    waiting, track = [], field.track
    for car, reaction in cars:
        i = car.index
        if car.state != RACING:
            continue
        share = _share(track, field.progress[i], field.time_s + STEP_S / 2 - reaction)
        rate = share * STEP_S / track.lap_s
        field.rate[i], field.hold[i] = min(rate, car.cruise), FREE
        if rate < car.cruise:
            waiting.append((car, reaction))
        else:  # it has caught up with its own flying lap
            car.launching = False
            traffic.drive_anew(field, car)
    if waiting:
        field.at(0.0, accelerate, field, waiting)
