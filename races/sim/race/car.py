"""One car's race: who drives it, what it can do, and where its race stands apart from its motion."""

from random import Random

from races.sim.circuits.lane import Lane
from races.sim.race.incident_schedule import Incident
from races.sim.race.strategy import Plan, View
from races.sim.season import Driver, Team

RACING, LANE, BOX, RETIRED, FINISHED = range(5)
SET_S = 0.18  # sigma a 90 s lap: how well this set of tyres works on this car
STATUS = ("racing", "pit", "pit", "retired", "finished")


class Car:
    """Times are whole milliseconds of race time where they are published, so that sums are exact."""

    __slots__ = (
        "ability_s",
        "age",
        "best_ms",
        "boost",
        "box",
        "broken",
        "cold",
        "compound",
        "cruise",
        "damaged",
        "done",
        "driver",
        "fuel_kg",
        "grid",
        "incident_at",
        "incidents",
        "index",
        "lane",
        "lap",
        "last_ms",
        "last_stop_lap",
        "launching",
        "line_ms",
        "losing",
        "margin",
        "mode",
        "mood_s",
        "next_point",
        "owes_s",
        "pace_s",
        "passed",
        "plan",
        "queue_s",
        "random",
        "sector_ms",
        "sectors_ms",
        "set_s",
        "state",
        "stint_text",
        "stints",
        "stood_s",
        "stops",
        "target",
        "team",
        "threatened",
        "tyre_laps",
        "view",
    )

    def __init__(self, index: int, driver: Driver, team: Team, random: Random) -> None:
        self.index, self.driver, self.team, self.random = index, driver, team, random
        self.ability_s = 0.0  # a lap behind the reference, today
        self.grid = 0
        self.box = 0.0  # share of the lane beyond the line
        self.lane: Lane | None = None  # that it has been called into or is in
        self.view: View
        self.plan: Plan
        self.fuel_kg = 0.0
        self.compound = 0
        self.age = 0.0  # of the tyre, in laps of wear
        self.tyre_laps = 0
        self.cold = False
        self.set_s = 0.0  # a lap, of the set of tyres
        self.stints: list[tuple[int, int]] = []  # compound, first lap
        self.stint_text = ""
        self.stops = 0
        self.last_stop_lap = 0
        self.threatened = -9  # the lap on which the rival right behind came in
        self.stood_s = 0.0  # at its newest stop, waiting for the crew included
        self.state = RACING
        self.lap = 0
        self.done = 0
        self.next_point = 0
        self.pace_s = 0.0  # this lap's time without traffic
        self.owes_s = 0.0  # to lose over the next stretches: a duel, a mistake, a blue flag
        self.launching = True  # until it has caught up with its own flying lap
        self.losing = 0.0  # of it, for a lap at the present rate
        self.cruise = 0.0  # the rate that the lap asks for, where getaway or queue allow no more than less
        self.target = -1  # the car it is passing
        self.passed: list[int] = []  # cars passed on this lap
        self.boost = 1.0  # of its rate while it passes
        self.mode = False
        self.mood_s = 0.0  # a 90 s lap: good and bad spells, which last some laps
        self.margin = 1.0  # of this lap: how much room the driver leaves to the car ahead
        self.queue_s = 0.8  # to the car ahead, behind a safety car
        self.broken = False  # drives to the pits to retire
        self.damaged = False  # a puncture: drives to the pits for tyres
        self.incidents: list[Incident] = []  # still to come, the next one last
        self.incident_at = float("inf")
        self.line_ms = 0
        self.sector_ms = 0
        self.sectors_ms: list[int | None] = [None, None, None]
        self.last_ms: int | None = None
        self.best_ms: int | None = None

    @property
    def code(self) -> str:
        return self.driver.code

    @property
    def compounds_used(self) -> int:
        """The compounds used so far, as a bit mask."""
        mask = 0
        for compound, _ in self.stints:
            mask |= 1 << compound
        return mask

    def will_meet(self, incidents: list[Incident]) -> None:
        """Set what goes wrong with this car, the next incident last."""
        self.incidents = incidents
        self.incident_at = incidents[-1].at if incidents else float("inf")

    def will_meet_too(self, incident: Incident) -> None:
        self.will_meet(sorted([*self.incidents, incident], key=lambda one: -one.at))

    def fit(self, compound: int) -> None:
        """Fit fresh tyres of that compound, from this lap on."""
        self.compound, self.age, self.tyre_laps = compound, 0.0, 0
        self.set_s = self.random.gauss(0.0, SET_S * self.team.swing)
        self.stints.append((compound, max(1, self.lap)))
        self.stint_text = " ".join(f"{'SMH'[tyre]}{lap}" for tyre, lap in self.stints)
