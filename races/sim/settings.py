"""What a race is a function of, and where its random numbers come from."""

from dataclasses import dataclass
from hashlib import sha256
from random import Random

STEP_S = 0.2  # of race time: the simulation's unit
TICK_MS = 200  # of wall time between two published ticks; a tick is `pace` steps
TICK_S = TICK_MS / 1000


@dataclass(frozen=True, slots=True)
class RaceSettings:
    """The person's own driver is not among them: nobody gets favours."""

    circuit: str
    laps: int
    pace: int
    seed: int
    incidents: bool = True
    faults: bool = True


def stream(seed: int, *names: str) -> Random:
    """A random stream of its own for each purpose, so that a draw more in one changes no other."""
    digest = sha256("/".join((str(seed), *names)).encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))
