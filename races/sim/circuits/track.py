"""A circuit as the engine sees it: one lap cut by timing points, in shares of the reference lap's time (tau).

A car that laps evenly moves evenly in tau, however often it brakes; so between two timing points its motion is one
number, and the difference of two cars' tau is their gap in time.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import fsum

from races.sim.circuits.circuit import Circuit, load_circuit
from races.sim.circuits.lane import Lanes, lanes

LINE, FIRST_SECTOR, SECOND_SECTOR, PIT_ENTRY, DETECTION, PASSING_STARTS, PASSING_ENDS = (
    1 << n for n in range(7)
)
SPACING = 1 / 14  # at most between two timing points: traffic is looked at this often
CLOSE = 0.004  # points nearer than this become one; a step is about 0.0025
SLOT_M, FIRST_SLOT_M = 8.0, 8.0  # between two places of the grid; pole behind the line


@dataclass(frozen=True, slots=True)
class Track:
    """The timing points of a lap; index k means point k and the stretch from it to the next one."""

    circuit: Circuit
    lap_s: float
    timing_points: tuple[float, ...]
    kinds: tuple[int, ...]
    stretch: tuple[float, ...]
    towing: tuple[bool, ...]
    towing_share: float
    sector: tuple[int, ...]
    zone: tuple[float, ...]  # at a point that starts a passing zone: its length in tau
    to_zone_end: tuple[frozenset[int], ...]  # sectors from here to the end of the passing zone
    lanes: Lanes
    per_metre: float  # tau of a metre at the line
    turns: tuple[tuple[float, int], ...]  # tau and official number of each turn, in driving order


def _wanted(circuit: Circuit, entry: float) -> list[tuple[float, int]]:
    first, second = circuit.sectors_tau
    wanted = [(0.0, LINE), (first, FIRST_SECTOR), (second, SECOND_SECTOR), (circuit.detection_tau, DETECTION)]
    wanted.append((entry, PIT_ENTRY))
    for zone in circuit.slipstream:
        wanted += [(zone.start_tau, 0), (zone.end_tau, 0)]
    for zone in circuit.overtaking:
        wanted += [(zone.start_tau, PASSING_STARTS), (zone.end_tau, PASSING_ENDS)]
    return sorted((tau % 1.0, kind) for tau, kind in wanted)


def _filled(points: list[tuple[float, int]]) -> list[tuple[float, int]]:
    found: list[tuple[float, int]] = []
    for tau, kind in [*points, (1.0, 0)]:
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
    return [point for point in found if point[0] < 1.0]


def _zone(kinds: list[int], start: int) -> list[int]:
    """The stretches from a point to the next that ends a passing zone."""
    found = [start]
    while not kinds[(found[-1] + 1) % len(kinds)] & PASSING_ENDS:
        found.append((found[-1] + 1) % len(kinds))
    return found


@cache
def load_track(slug: str) -> Track:
    circuit = load_circuit(slug)
    pits = lanes(circuit)
    points = _filled(_wanted(circuit, pits.first_entry))
    taus, kinds = [tau for tau, _ in points], [kind for _, kind in points]
    stretch = [b - a for a, b in zip(taus, [*taus[1:], 1.0], strict=True)]
    middles = [a + s / 2 for a, s in zip(taus, stretch, strict=True)]
    towing = [any(zone.contains_tau(tau) for zone in circuit.slipstream) for tau in middles]
    sector = tuple(1 + bisect_right(circuit.sectors_tau, tau) for tau in middles)
    ends = accumulate(segment.length for segment in circuit.segments)
    turns = tuple(
        (circuit.tau(min(1.0, (end - segment.length / 2) / circuit.length_m)), segment.turn)
        for end, segment in zip(ends, circuit.segments, strict=True)
        if segment.turn is not None
    )
    return Track(
        circuit=circuit,
        lap_s=circuit.model_lap_s,
        timing_points=tuple(taus),
        kinds=tuple(kinds),
        stretch=tuple(stretch),
        towing=tuple(towing),
        towing_share=fsum(s for s, t in zip(stretch, towing, strict=True) if t),
        sector=sector,
        zone=tuple(
            fsum(stretch[n] for n in _zone(kinds, k)) if kinds[k] & PASSING_STARTS else 0.0
            for k in range(len(kinds))
        ),
        to_zone_end=tuple(frozenset(sector[n] for n in _zone(kinds, k)) for k in range(len(kinds))),
        lanes=pits,
        per_metre=circuit.tau_by_distance[1] * (len(circuit.tau_by_distance) - 1) / circuit.length_m,
        turns=turns,
    )
