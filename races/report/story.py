"""The story of a recorded race: a paragraph, five moments and three numbers. Pure: facts in, sentences out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from races.live.rendering.formatting import lap_time, ordinal
from races.report.laps import Car

MOMENTS = 5
NAMED = {"safety_car": "The safety car comes out", "vsc": "The virtual safety car comes out"}


class Message(Protocol):
    """A message of race control, as it is stored."""

    tick: int
    type: str
    driver_code: str
    other_code: str
    lap: int
    position: int
    value: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that mattered, and the tick of it in the replay. The heavier one comes first where room is short."""

    tick: int
    lap: int
    weight: int
    text: str


@dataclass(frozen=True, slots=True)
class Lead:
    """A car that led at the line from this lap on, for so many laps. how: how it came to lead, as a clause."""

    code: str
    first: int
    laps: int
    how: str

    @property
    def clause(self) -> str:
        """Returns how it came to lead, ready to follow "took the lead"."""
        return f" {self.how}" if self.how.startswith("when ") else f", {self.how}" if self.how else ""


@dataclass(frozen=True, slots=True)
class Story:
    paragraph: str
    moments: tuple[Moment, ...]
    numbers: tuple[tuple[str, str], ...]  # figure, what it is
    leads: tuple[Lead, ...]


def story(cars: Sequence[Car], control: Sequence[Message], laps: int, finished: bool) -> Story:
    """Tells a race. cars: in the order of the classification; control: in the order of time."""
    names = {car.code: car.name.split()[-1] for car in cars}
    found = leads(cars, control, laps, names)
    passes = sum(message.type == "overtake" for message in control)
    changes = len(found) - 1 if found else 0
    numbers = [(str(changes), "change of the lead" if changes == 1 else "changes of the lead")]
    numbers.append((str(passes), "pass on the track" if passes == 1 else "passes on the track"))
    margin = _margin(cars) if finished else None
    if margin is not None:
        numbers.insert(0, (f"{margin:.1f}\u00a0s", f"ahead of {names[cars[1].code]} at the flag"))
    sentences = [
        _who_won(cars, found, names, margin, finished),
        _lead_words(found, names),
        _flag_words(control),
        _out_words(cars, names),
        _own_words(cars, names),
    ]
    chosen = sorted(
        _candidates(cars, control, found, names), key=lambda moment: (-moment.weight, moment.tick)
    )[:MOMENTS]
    return Story(
        " ".join(sentence for sentence in sentences if sentence),
        tuple(sorted(chosen, key=lambda moment: moment.tick)),
        tuple(numbers),
        tuple(found),
    )


def leads(cars: Sequence[Car], control: Sequence[Message], laps: int, names: Mapping[str, str]) -> list[Lead]:
    """Returns who led at the line, in turns, and how each came to lead."""
    first = {point.lap: car.code for car in cars for point in car.points if point.position == 1}
    turns: list[tuple[str, int, int]] = []
    for lap in sorted(first):
        if turns and turns[-1][0] == first[lap]:
            turns[-1] = (first[lap], turns[-1][1], lap)
        else:
            turns.append((first[lap], lap, lap))
    found = []
    before = ""
    for code, start, end in turns:
        found.append(Lead(code, start, end - start + 1, _how(code, before, start, control, names)))
        before = code
    return found


def _how(code: str, before: str, lap: int, control: Sequence[Message], names: Mapping[str, str]) -> str:
    if not before:
        return ""
    # who stops at the end of a lap may still be first at its line, and is not at the next one
    near = [message for message in control if lap - 1 <= message.lap <= lap]
    if any(m.type == "overtake" and (m.driver_code, m.other_code) == (code, before) for m in near):
        return f"past {names[before]} on the track"
    if any(m.type == "retirement" and m.driver_code == before for m in near):
        return f"when {names[before]} went out"
    if any(m.type == "pit_in" and m.driver_code == before for m in near):
        return f"when {names[before]} stopped"
    if any(m.type in ("off_track", "yellow") and m.driver_code == before for m in near):
        return f"after a mistake by {names[before]}"
    return ""


def _margin(cars: Sequence[Car]) -> float | None:
    """Returns the seconds from the winner to the second at the flag; None where they were on different laps."""
    if len(cars) < 2 or not cars[0].points or not cars[1].points:
        return None
    first, second = cars[0].points[-1], cars[1].points[-1]
    if first.lap != second.lap or first.crossed_s is None or second.crossed_s is None:
        return None
    return second.crossed_s - first.crossed_s


def _who_won(
    cars: Sequence[Car], found: Sequence[Lead], names: Mapping[str, str], margin: float | None, finished: bool
) -> str:
    if not cars or not found:
        return ""
    winner, last = names[cars[0].code], found[-1]
    if not finished:
        return f"{winner} was ahead when the race ended."
    won = f"won by {margin:.1f}\u00a0s from {names[cars[1].code]}" if margin is not None else "won"
    if last.code != cars[0].code:
        return f"{winner} {won}."
    if len(found) == 1:
        return f"{winner} led every lap and {won}."
    return f"{winner} took the lead for good on lap {last.first}{last.clause}, and {won}."


def _lead_words(found: Sequence[Lead], names: Mapping[str, str]) -> str:
    if len(found) < 3:
        return ""
    laps: Counter[str] = Counter()
    for lead in found:
        laps[lead.code] += lead.laps
    most, led = laps.most_common(1)[0]
    leaders = f"{len(laps)} drivers led"
    return f"{leaders}; {names[most]} was in front for {led} lap{'' if led == 1 else 's'}, the most of all."


def _flag_words(control: Sequence[Message]) -> str:
    laps: dict[str, list[str]] = {}
    for message in control:
        if message.type in NAMED:
            leading = max((other.lap for other in control if other.tick <= message.tick), default=0)
            laps.setdefault(message.type, []).append(str(leading))
    words = {"safety_car": "safety car", "vsc": "virtual safety car"}
    parts = [
        f"{words[kind]}s on laps {' and '.join(on)}" if len(on) > 1 else f"a {words[kind]} on lap {on[0]}"
        for kind, on in laps.items()
    ]
    verb = "was" if parts and parts[0].startswith("a ") else "were"
    return f"There {verb} {' and '.join(parts)}." if parts else ""


def _out_words(cars: Sequence[Car], names: Mapping[str, str]) -> str:
    out = [names[car.code] for car in cars if car.status == "retired"]
    if not out:
        return "Every car finished." if cars and all(car.status == "finished" for car in cars) else ""
    if len(out) > 4:
        return f"{len(out)} cars did not finish."
    listed = " and ".join([", ".join(out[:-1]), out[-1]] if len(out) > 1 else out)
    return f"{listed} did not finish."


def _own_words(cars: Sequence[Car], names: Mapping[str, str]) -> str:
    place, own = next(((n, car) for n, car in enumerate(cars, 1) if car.own), (0, None))
    if own is None or place == 1 or not own.points:
        return ""
    if own.status == "retired":
        return f"{names[own.code]} was {ordinal(own.points[-1].position)} at the line before retiring."
    best = min(point.position for point in own.points)
    high = "" if best >= place else ", after leading" if best == 1 else f", after running {ordinal(best)}"
    grid = f"started {ordinal(own.grid)} and " if own.grid else ""
    return f"{names[own.code]} {grid}finished {ordinal(place)}{high}."


def _candidates(
    cars: Sequence[Car], control: Sequence[Message], found: Sequence[Lead], names: Mapping[str, str]
) -> list[Moment]:
    own = next((car.code for car in cars if car.own), "")
    moments = [
        Moment(
            _tick_of(control, lead.first),
            lead.first,
            80 + min(lead.laps, 15),
            f"{names[lead.code]} took the lead{lead.clause}.",
        )
        for lead in found[1:]
    ]
    for message in control:
        code = message.driver_code
        if message.type in NAMED:
            lap = max((other.lap for other in control if other.tick <= message.tick), default=0)
            moments.append(Moment(message.tick, lap, 85, f"{NAMED[message.type]}."))
        elif message.type == "retirement" and code in names:
            weight = 92 if code == own else 78 if message.position in (1, 2, 3) else 55
            why = (message.message.partition(" - ")[2] or "out of the race").lower()
            moments.append(Moment(message.tick, message.lap, weight, f"{names[code]} is out: {why}."))
        elif message.type == "chequered" and code in names:
            moments.append(Moment(message.tick, message.lap, 100, f"{names[code]} takes the flag."))
        elif message.type == "off_track" and code == own:
            moments.append(Moment(message.tick, message.lap, 60, f"{names[code]} leaves the track."))
    fastest = [message for message in control if message.type == "fastest_lap" and message.value]
    if fastest and fastest[-1].driver_code in names:
        best = fastest[-1]
        text = f"{names[best.driver_code]} sets the fastest lap, {lap_time(best.value)}."
        moments.append(Moment(best.tick, best.lap, 50, text))
    return moments + _own_moments(cars, control, names)


def _own_moments(cars: Sequence[Car], control: Sequence[Message], names: Mapping[str, str]) -> list[Moment]:
    """Returns the laps in which the own driver won or lost the most places, without a stop."""
    own = next((car for car in cars if car.own), None)
    if own is None:
        return []
    stops = {
        m.lap for m in control if m.driver_code == own.code and m.type in ("pit_in", "pit_out") and m.lap
    }
    moved = [
        (before.position - after.position, after)
        for before, after in pairwise(own.points)
        if after.lap not in stops and after.lap - 1 not in stops and before.position != after.position
    ]
    moments = []
    for gained, point in sorted(moved, key=lambda pair: -abs(pair[0]))[:2]:
        places = f"{abs(gained)} place{'s' if abs(gained) > 1 else ''}"
        text = f"{names[own.code]} {'gains' if gained > 0 else 'loses'} {places}: P{point.position} on lap {point.lap}."
        moments.append(Moment(_tick_of(control, point.lap), point.lap, 62 + abs(gained), text))
    return moments


def _tick_of(control: Sequence[Message], lap: int) -> int:
    """Returns the tick of the first message of a lap: near enough to its beginning for a look at the replay."""
    return next(
        (message.tick for message in control if message.lap >= lap), control[-1].tick if control else 0
    )
