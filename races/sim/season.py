"""The season's teams and drivers, read from data/season.json."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

SIMULATION = Path(__file__).parent
DATA = SIMULATION / "data"
_RULES = "7"  # raise it with every change of code that changes races


@dataclass(frozen=True, slots=True)
class Team:
    """pace_s: seconds a 90 s lap behind the best car; failure: probability of a breakdown in a Grand Prix."""

    name: str
    engine: str
    colour: str
    pace_s: float
    failure: float
    crew_s: float  # what the crew usually needs beyond the quickest possible stop

    @property
    def swing(self) -> float:
        """Factor to what a day can do to the car: the gaps of slower teams move more from race to race."""
        return 0.3 + 0.7 * min(1.0, self.pace_s)


@dataclass(frozen=True, slots=True)
class Driver:
    """pace_s: seconds a 90 s lap behind the quickest in the same car; spread_s: sigma of a free lap."""

    code: str
    name: str
    number: int
    team: str
    pace_s: float
    spread_s: float
    accident: float  # probability of retiring by accident in a Grand Prix
    tyre_care: float  # factor to the wear


@dataclass(frozen=True, slots=True)
class Season:
    year: int
    teams: tuple[Team, ...]
    drivers: tuple[Driver, ...]

    def team_of(self, driver: Driver) -> Team:
        return next(team for team in self.teams if team.name == driver.team)


@cache
def load_season() -> Season:
    data = json.loads((DATA / "season.json").read_text(encoding="utf-8"))
    drivers = [
        Driver(team=team["name"], **driver) for team in data["teams"] for driver in team.pop("drivers")
    ]
    return Season(data["year"], tuple(Team(**team) for team in data["teams"]), tuple(drivers))


def model_version() -> str:
    """Changes whenever the same settings may give another race: with the rules or with any data file."""
    digest = sha256()
    for path in sorted(SIMULATION.rglob("*.json")):  # the circuits' files too
        digest.update(path.name.encode() + path.read_bytes())
    return f"{_RULES}-{digest.hexdigest()[:8]}"


MODEL_VERSION = model_version()
