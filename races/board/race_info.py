"""What a board needs to know of its race before the first record: frozen with the race, plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CarInfo:
    """One entry: `colour` is the team's, as #rrggbb; `code` names the car everywhere on the page."""

    code: str
    name: str
    number: int
    team: str
    colour: str = "#8a93a3"


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """The circuit as drawn. `outline` is closed and its points lie at equal shares of the lap;
    `pit` runs from the entry's share to the exit's. Coordinates are anything: they are fitted."""

    outline: tuple[Point, ...] = ()
    pit: tuple[Point, ...] = ()
    pit_entry: float = 0.97
    pit_exit: float = 0.03
    sectors: tuple[float, float] = (1 / 3, 2 / 3)
    corners: tuple[tuple[int, float], ...] = ()  # number, share of the lap
    detection: float | None = None  # where overtake mode measures the gap, share of the lap


@dataclass(frozen=True, slots=True)
class RaceInfo:
    """The race as it was entered. `pit_loss_s`: what a stop costs against staying out, in seconds by flag (green, vsc,
    safety_car)."""

    race_id: str
    circuit: str
    circuit_name: str
    laps: int
    pace: int
    seed: int
    own_code: str
    cars: tuple[CarInfo, ...]
    country: str = ""
    length_m: float = 0.0
    track: TrackInfo = field(default_factory=TrackInfo)
    pit_loss_s: Mapping[str, float] = field(default_factory=lambda: {"green": 22.0}, hash=False)

    def engine_of(self, key: str) -> str | None:
        """Returns whose engine a reading is of, by its key: race id, colon and driver code, or, as the original lab's
        statements write it, a team alone. None for a key of another race or of nobody in this field.
        """
        race_id, colon, code = key.rpartition(":")
        if colon:
            return code if race_id == self.race_id and any(car.code == code for car in self.cars) else None
        return key if any(car.team == key for car in self.cars) else None

    def engine_key(self, engine: str) -> str:
        """Returns the key of the readings of this engine."""
        return f"{self.race_id}:{engine}" if any(car.code == engine for car in self.cars) else engine

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RaceInfo:
        """Reads what to_json made, also after a round trip through JSON (lists for tuples)."""
        track = dict(data.get("track") or {})
        for name in ("outline", "pit"):
            track[name] = tuple((float(x), float(y)) for x, y in track.get(name, ()))
        if "sectors" in track:
            track["sectors"] = tuple(track["sectors"])
        track["corners"] = tuple((int(number), float(share)) for number, share in track.get("corners", ()))
        cars = tuple(CarInfo(**car) for car in data["cars"])
        return cls(**{**data, "cars": cars, "track": TrackInfo(**track)})
