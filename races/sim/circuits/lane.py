"""The pit lane as it is driven, and what a stop costs under each flag.

A neutralised field is slower, so the same lane costs less; how much less is published for each circuit. What is
driven at the limit is as much of the drawn lane as makes the loss the published one, so each flag has its own.
"""

from dataclasses import dataclass

from races.sim.circuits.circuit import Circuit, RaceParameters

VIRTUAL, CATCH_UP, QUEUE = 1.4, 1.4, 1.6  # lap times under the flags, of the reference
_PACE = {"green": 1.0, "vsc": VIRTUAL, "safety_car": CATCH_UP}


@dataclass(frozen=True, slots=True)
class Lane:
    """Tau and distance shares (beyond 1 after the line) and progress a second on each side of the line."""

    entry: float
    exit: float
    entry_share: float
    exit_share: float
    before_line: float
    after_line: float


@dataclass(frozen=True, slots=True)
class Lanes:
    """The one under green, under a virtual safety car, and behind a real one: catching up, and in its queue."""

    green: Lane
    vsc: Lane
    catching_up: Lane
    queue: Lane

    @property
    def first_entry(self) -> float:
        """The point by which a car must have been called in, whatever the flag."""
        return min(lane.entry for lane in (self.green, self.vsc, self.catching_up, self.queue))


def stop_cost_s(race: RaceParameters, flag: str, standing_s: float) -> float:
    """What a stop costs in gaps as racing cars have them: a second counts less while all are slow."""
    driving = {"vsc": race.pit_loss_vsc_s, "safety_car": race.pit_loss_sc_s}.get(flag, race.pit_loss_s)
    return (driving + standing_s) / _PACE.get(flag, 1.0)


def lanes(circuit: Circuit) -> Lanes:
    return Lanes(
        _lane(circuit, "green", 1.0),
        _lane(circuit, "vsc", VIRTUAL),
        _lane(circuit, "safety_car", CATCH_UP),
        _lane(circuit, "safety_car", QUEUE),
    )


def _lane(circuit: Circuit, flag: str, pace: float) -> Lane:
    """A drive through it costs what the circuit says under that flag, against cars that take `pace` times the
    reference."""
    cost_s = stop_cost_s(circuit.race, flag, 0.0)
    pit, length, limit = circuit.pit, circuit.length_m, circuit.pit.limit_kmh / 3.6

    def ends(part: float) -> tuple[float, float]:
        return circuit.tau(1.0 - part * (1.0 - pit.entry)), 1.0 + circuit.tau(part * pit.exit)

    def on_track_s(part: float) -> float:
        entry, leave = ends(part)
        return (leave - entry) * circuit.model_lap_s

    def metres(part: float) -> float:
        return part * (1.0 - pit.entry + pit.exit) * length

    short, part = 0.0, 1.0
    for _ in range(40):
        middle = (short + part) / 2
        cost = metres(middle) / limit / pace - on_track_s(middle)
        short, part = (short, middle) if cost > cost_s else (middle, part)
    before, after = part * (1.0 - pit.entry), part * pit.exit
    (entry, leave), seconds = ends(part), pace * (on_track_s(part) + cost_s)
    speed = metres(part) / seconds  # the limit, or less where the drawn lane is too short
    rates = (1.0 - entry) * speed / (before * length), (leave - 1.0) * speed / (after * length)
    return Lane(entry, leave, 1.0 - before, 1.0 + after, *rates)
