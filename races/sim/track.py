"""A circuit as the engine sees it: one lap cut by marks, in shares of the reference lap's time (tau).

A car that laps evenly moves evenly in tau, however often it brakes; so between two marks its motion is one
number, and the difference of two cars' tau is their gap in time.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from races.sim.circuit import Circuit, Zone, load_circuit

LINE, FIRST_SECTOR, SECOND_SECTOR, PIT_ENTRY, DETECTION, PASSING_STARTS, PASSING_ENDS = (
    1 << n for n in range(7)
)
SPACING = 1 / 14  # at most between two marks: traffic is looked at this often
CLOSE = 0.004  # marks nearer than this become one; a step is about 0.0025
SLOT_M, FIRST_SLOT_M = 8.0, 8.0  # between two places of the grid; pole behind the line
PIT_LIMIT_MS = 80 / 3.6


@dataclass(frozen=True, slots=True)
class Lane:
    """The pit lane: tau and distance shares (beyond 1 after the line) and progress a second on each side of it.

    The part of the drawing that is driven as a lane is chosen so that the limit and the circuit's pit loss agree.
    """

    entry: float
    exit: float
    entry_share: float
    exit_share: float
    before_line: float
    after_line: float


@dataclass(frozen=True, slots=True)
class Track:
    """Marks of a lap; index k speaks of mark k and of the stretch from it to the next mark."""

    circuit: Circuit
    lap_s: float
    marks: tuple[float, ...]
    kinds: tuple[int, ...]
    stretch: tuple[float, ...]
    towing: tuple[bool, ...]
    towing_share: float
    sector: tuple[int, ...]
    zone: tuple[float, ...]  # at a mark that starts a passing zone: its length in tau
    after_pits: int  # the first mark beyond the pit exit
    lane: Lane
    per_metre: float  # tau of a metre at the line


def _inside(zones: tuple[Zone, ...], tau: float) -> bool:
    return any(zone.contains_tau(tau) for zone in zones)


def _wanted(circuit: Circuit, entry: float) -> list[tuple[float, int]]:
    first, second = circuit.sectors_tau
    wanted = [(0.0, LINE), (first, FIRST_SECTOR), (second, SECOND_SECTOR), (circuit.detection_tau, DETECTION)]
    wanted.append((entry, PIT_ENTRY))
    for zone in circuit.slipstream:
        wanted += [(zone.start_tau, 0), (zone.end_tau, 0)]
    for zone in circuit.overtaking:
        wanted += [(zone.start_tau, PASSING_STARTS), (zone.end_tau, PASSING_ENDS)]
    return sorted((tau % 1.0, kind) for tau, kind in wanted)


def _filled(marks: list[tuple[float, int]]) -> list[tuple[float, int]]:
    found: list[tuple[float, int]] = []
    for tau, kind in [*marks, (1.0, 0)]:
        if found and tau - found[-1][0] < CLOSE:
            if tau < 1.0:
                found[-1] = (tau if kind & PIT_ENTRY else found[-1][0], found[-1][1] | kind)
            continue
        if found:
            gap = tau - found[-1][0]
            pieces = int(gap / SPACING) + 1
            start = found[-1][0]
            found += [(start + gap * n / pieces, 0) for n in range(1, pieces)]
        found.append((tau, kind))
    return [mark for mark in found if mark[0] < 1.0]


def _lane(circuit: Circuit) -> Lane:
    """As much of the drawn lane as makes a car that keeps to the limit lose the circuit's pit loss."""
    pit, length, speed = circuit.pit, circuit.length_m, circuit.pit.limit_kmh / 3.6

    def loss(part: float) -> float:
        entry, leave = circuit.tau(1.0 - part * (1.0 - pit.entry)), 1.0 + circuit.tau(part * pit.exit)
        metres = part * (1.0 - pit.entry + pit.exit) * length
        return metres / speed - (leave - entry) * circuit.model_lap_s

    short, part = 0.0, 1.0
    for _ in range(40):
        middle = (short + part) / 2
        short, part = (short, middle) if loss(middle) > circuit.race.pit_loss_s else (middle, part)
    before, after = part * (1.0 - pit.entry), part * pit.exit
    entry, leave = circuit.tau(1.0 - before), 1.0 + circuit.tau(after)
    seconds = (leave - entry) * circuit.model_lap_s + circuit.race.pit_loss_s
    speed = (before + after) * length / seconds  # the limit, or less where the drawn lane is too short
    rates = (1.0 - entry) * speed / (before * length), (leave - 1.0) * speed / (after * length)
    return Lane(entry, leave, 1.0 - before, 1.0 + after, *rates)


def _zone_length(kinds: list[int], stretch: list[float], start: int) -> float:
    """From a mark that starts a passing zone to the mark that ends it; 0 elsewhere."""
    if not kinds[start] & PASSING_STARTS:
        return 0.0
    length, k = 0.0, start
    while k == start or not kinds[k] & PASSING_ENDS:
        length += stretch[k]
        k = (k + 1) % len(kinds)
    return length


@cache
def load_track(slug: str) -> Track:
    circuit = load_circuit(slug)
    lane = _lane(circuit)
    marks = _filled(_wanted(circuit, lane.entry))
    taus, kinds = [tau for tau, _ in marks], [kind for _, kind in marks]
    stretch = [b - a for a, b in zip(taus, [*taus[1:], 1.0], strict=True)]
    towing = [_inside(circuit.slipstream, a + s / 2) for a, s in zip(taus, stretch, strict=True)]
    return Track(
        circuit=circuit,
        lap_s=circuit.model_lap_s,
        marks=tuple(taus),
        kinds=tuple(kinds),
        stretch=tuple(stretch),
        towing=tuple(towing),
        towing_share=sum(s for s, t in zip(stretch, towing, strict=True) if t),
        sector=tuple(
            1 + bisect_right(circuit.sectors_tau, a + s / 2) for a, s in zip(taus, stretch, strict=True)
        ),
        zone=tuple(_zone_length(kinds, stretch, k) for k in range(len(kinds))),
        after_pits=bisect_right(taus, lane.exit - 1.0),
        lane=lane,
        per_metre=circuit.tau_by_distance[1] * (len(circuit.tau_by_distance) - 1) / circuit.length_m,
    )
