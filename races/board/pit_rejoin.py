"""The place where a car would rejoin if it stopped now, which every pit wall asks all race long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from races.board.frames import CarFrame


@dataclass(frozen=True, slots=True)
class Rejoin:
    """The place after a stop, the car then ahead and the car then behind, each with its gap in seconds."""

    position: int
    ahead: tuple[str, float] | None
    behind: tuple[str, float] | None


def pit_loss(losses: Mapping[str, float], flag: str) -> float:
    """Returns what a stop costs under this flag, in seconds: less while the others drive slowly."""
    return losses.get(flag, losses["green"])


def rejoin(cars: Sequence[CarFrame], code: str, loss_s: float) -> Rejoin | None:
    """Predicts where a car rejoins after a stop. None for a car that may not stop, or whose gap is not known."""
    gaps = [
        (0.0 if car["position"] == 1 else car["gap_s"], car["driver_code"])
        for car in cars
        if car["status"] in ("racing", "pit")
    ]
    running = [(gap, other) for gap, other in gaps if gap is not None]
    own = next((gap for gap, other in running if other == code), None)
    # a car in the pit lane or on the grid has no stop to decide on
    deciding = {car["driver_code"] for car in cars if car["status"] == "racing" and car["lap"] > 0}
    if own is None or code not in deciding:
        return None
    then = own + loss_s
    ahead = [(then - gap, other) for gap, other in running if other != code and gap <= then]
    behind = [(gap - then, other) for gap, other in running if other != code and gap > then]
    return Rejoin(len(ahead) + 1, _nearest(ahead), _nearest(behind))


def _nearest(cars: list[tuple[float, str]]) -> tuple[str, float] | None:
    if not cars:
        return None
    gap, code = min(cars)
    return code, gap
