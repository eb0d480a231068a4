"""The speed of a car round a lap: quasi-static, after the grip, braking and power that it has.

The car follows the line that cuts its corners as far as the track is wide. In a corner the tyres and
the downforce carry it; before one it brakes as late as they allow; after it the engine pulls against
the drag. Everything is SI.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

from races.sim.circuits.geometry import Station

# Lateral grip of tyres alone and of downforce: 1.4 g at walking pace, 5 g at 250 km/h.
LATERAL, LATERAL_AERO = 14.0, 0.0073
# From 334 to 89 km/h in 122 m, as a brake maker has it for Monza's first chicane.
BRAKING, BRAKING_AERO = 16.5, 0.0040
TRACTION, TRACTION_AERO = 12.0, 0.0030
POWER_PER_MASS = 880.0  # W/kg: about 750 kW for 850 kg with driver and half the fuel
WINDOWS_M = (6.0, 10.0, 15.0, 20.0, 26.0, 33.0, 42.0, 54.0, 70.0, 90.0)  # half lengths


@dataclass(frozen=True, slots=True)
class Car:
    """What a circuit's set-up makes of the car."""

    grip: float  # factor to all tyre and downforce limits: asphalt, kerbs, banking, hills
    drag_speed_kmh: float  # where the engine's power equals the drag: low wings, high speed
    width_m: float  # how far the line may move across the track to open a corner

    @property
    def drag_speed(self) -> float:
        return self.drag_speed_kmh / 3.6


def _running(values: Iterable[float]) -> list[float]:
    return [0.0, *accumulate(values)]


def racing_line(line: Sequence[Station], step: float, width: float) -> list[float]:
    """Curvature of the racing line at each station.

    The line is the centreline averaged over the longest stretch whose average stays within the width:
    it opens hairpins a little, straightens fast bends, and leaves a slow chicane slow.
    """
    halves = sorted({max(1, round(half / step)) for half in WINDOWS_M})
    reach = halves[-1]
    wrapped = [*line[-reach:], *line, *line[:reach]]
    xs, ys = _running(at.x for at in wrapped), _running(at.y for at in wrapped)
    bends, allowed = _running(at.curvature for at in wrapped), width * width
    found = []
    for k, at in enumerate(line, start=reach):
        mean = at.curvature
        for half in halves:
            low, high, size = k - half, k + half + 1, 2 * half + 1
            if ((xs[high] - xs[low]) / size - at.x) ** 2 + (
                (ys[high] - ys[low]) / size - at.y
            ) ** 2 > allowed:
                break
            mean = (bends[high] - bends[low]) / size
        found.append(mean)
    return found


def _corner_speed(curvature: float, car: Car) -> float:
    """The most that grip carries round this bend, or the drag's limit where grip is enough."""
    left = abs(curvature) - car.grip * LATERAL_AERO
    return min(car.drag_speed, sqrt(car.grip * LATERAL / left)) if left > 0 else car.drag_speed


def _spare(v: float, curvature: float, car: Car) -> float:
    """The share of grip that cornering leaves for braking or pulling (friction ellipse)."""
    used = v * v * abs(curvature) / (car.grip * (LATERAL + LATERAL_AERO * v * v))
    return sqrt(1 - used * used) if used < 1 else 0.0


def _pull(v: float, curvature: float, car: Car) -> float:
    traction = car.grip * (TRACTION + TRACTION_AERO * v * v) * _spare(v, curvature, car)
    drag = POWER_PER_MASS * v * v / car.drag_speed**3
    return min(traction, POWER_PER_MASS / v) - drag


def _brake(v: float, curvature: float, car: Car) -> float:
    drag = POWER_PER_MASS * v * v / car.drag_speed**3
    return car.grip * (BRAKING + BRAKING_AERO * v * v) * _spare(v, curvature, car) + drag


def profile(curvatures: Sequence[float], step: float, car: Car) -> list[float]:
    """Speed in m/s at each station of a flying lap: forwards for the engine, backwards for the brakes."""
    v = [_corner_speed(bend, car) for bend in curvatures]
    n = len(v)
    slowest = v.index(min(v))  # both passes begin where nothing but the corner counts
    for k in range(slowest, slowest + n):
        here, ahead = k % n, (k + 1) % n
        gained = v[here] ** 2 + 2 * step * _pull(v[here], curvatures[here], car)
        v[ahead] = min(v[ahead], sqrt(max(gained, 1.0)))
    for k in range(slowest + n, slowest, -1):
        here, before = k % n, (k - 1) % n
        v[before] = min(v[before], sqrt(v[here] ** 2 + 2 * step * _brake(v[here], curvatures[here], car)))
    return v


def elapsed(speeds: Sequence[float], step: float) -> list[float]:
    """Seconds from the line to each station and, last, to the line again."""
    pairs = zip(speeds, [*speeds[1:], speeds[0]], strict=True)
    return [0.0, *accumulate(2 * step / (here + ahead) for here, ahead in pairs)]
