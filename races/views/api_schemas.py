"""The JSON interface's bodies, as its OpenAPI description shows them. A test holds the answers against them."""

from __future__ import annotations

from datetime import date
from typing import Literal

from ninja import Field, Schema

LISTED = 200
Status = Literal["queued", "running", "finished", "stopped", "failed"]


class DriverOut(Schema):
    driver_code: str
    driver_name: str
    number: int
    team_name: str
    team_colour: str


class GridOut(Schema):
    season: int
    drivers: list[DriverOut]


class CarOut(Schema):
    """One car of a leaderboard or a classification. Times are in seconds."""

    position: int | None
    driver_code: str | None
    driver_name: str | None
    team_name: str | None
    gap_s: float | None
    interval_s: float | None
    last_lap_s: float | None
    best_lap_s: float | None
    average_speed_kmh: float | None
    tyre: str | None
    stops: int | None
    status: str | None = Field(description="racing, pit, retired or finished")


class RaceOut(Schema):
    id: str
    status: Status
    reason: str
    waiting_for: str
    driver_code: str
    circuit: str
    laps: int
    pace: int = Field(description="race seconds for each wall second")
    seed: int
    incidents: bool
    created_at: str
    tick: int
    lap: int
    missing_ticks: int
    url: str


class RacesAsked(Schema):
    """Filters of the list, and the page of it."""

    status: Status | None = None
    driver: str = Field("", max_length=40, description="A driver's code")
    circuit: str = Field("", max_length=40)
    page: int = Field(1, ge=1)
    per_page: int = Field(LISTED, ge=1, le=LISTED)


class RacesOut(Schema):
    races: list[RaceOut]
    count: int
    page: int
    pages: int


class RaceDetailOut(RaceOut):
    """finished and stopped appear only once the classification is complete."""

    leaderboard: list[CarOut]
    classification: list[CarOut]


class StandingsAsked(Schema):
    """The races that count are those of these days, both included, in UTC, and of this circuit."""

    since: date | None = None
    until: date | None = None
    circuit: str = Field("", max_length=40)


class StandingOut(Schema):
    position: int
    driver_code: str = Field(description="empty for a team")
    name: str
    team_name: str
    points: int
    wins: int
    podiums: int
    best: int = Field(description="the best place; 0 where there was no finish")
    races: int


class StandingsOut(Schema):
    """Only races that came to the chequered flag count."""

    races: int
    drivers: list[StandingOut]
    teams: list[StandingOut]


class TraceOut(Schema):
    stages: list[str]
    worker_elsewhere: bool
    ticks: list[dict[str, float]]


class ErrorOut(Schema):
    error: str
    field: str = ""


class RaceIn(Schema, extra="forbid"):
    """What may be chosen; the driver must be. Without a seed the race gets a random one."""

    driver: str = Field(max_length=40, examples=["NOR"])
    circuit: str = Field(default="monza", max_length=40)
    laps: int | None = None
    pace: int | None = None
    seed: int | None = None
    incidents: bool = True
