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

    The car that drives it loses the circuit's pit loss, whatever its length in the drawing.
    """

    entry: float
    exit: float
    entry_share: float
    exit_share: float
    before_line: float
    after_line: float
    speed_ms: float


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


def _wanted(circuit: Circuit) -> list[tuple[float, int]]:
    first, second = circuit.sectors_tau
    wanted = [(0.0, LINE), (first, FIRST_SECTOR), (second, SECOND_SECTOR), (circuit.detection_tau, DETECTION)]
    wanted.append((circuit.tau(circuit.pit.entry), PIT_ENTRY))
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
                found[-1] = (found[-1][0], found[-1][1] | kind)
            continue
        if found:
            gap = tau - found[-1][0]
            pieces = int(gap / SPACING) + 1
            found += [(found[-1][0] + gap / pieces, 0) for _ in range(pieces - 1)]
        found.append((tau, kind))
    return [mark for mark in found if mark[0] < 1.0]


def _lane(circuit: Circuit, entry: float) -> Lane:
    pit = circuit.pit
    before, after = 1.0 - pit.entry, pit.exit
    leave = 1.0 + circuit.tau(pit.exit)
    seconds = (leave - entry) * circuit.model_lap_s + circuit.race.pit_loss_s
    speed = (before + after) * circuit.length_m / seconds
    on_line, off_line = before * circuit.length_m / speed, after * circuit.length_m / speed
    return Lane(
        entry, leave, pit.entry, 1.0 + pit.exit, (1.0 - entry) / on_line, (leave - 1.0) / off_line, speed
    )


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
    marks = _filled(_wanted(circuit))
    taus, kinds = [tau for tau, _ in marks], [kind for _, kind in marks]
    stretch = [b - a for a, b in zip(taus, [*taus[1:], 1.0], strict=True)]
    towing = [_inside(circuit.slipstream, a + s / 2) for a, s in zip(taus, stretch, strict=True)]
    lane = _lane(circuit, next(tau for tau, kind in marks if kind & PIT_ENTRY))
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
