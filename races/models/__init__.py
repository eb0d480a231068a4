"""A race's life and its history. Rules about races sit here, on models and querysets."""

from races.models.history import (
    Alarm,
    BoardChunk,
    CommentaryLine,
    ControlMessage,
    Entry,
    InjectedFault,
    Lap,
    ReadingChunk,
    Result,
)
from races.models.leases import Lease, RecorderOffset, WorkerHeartbeat
from races.models.race import ACTIVE, Race, RaceQuerySet, moment
from races.models.season import Circuit, Driver, Team
from races.models.tokens import ApiToken

__all__ = [
    "ACTIVE",
    "Alarm",
    "ApiToken",
    "BoardChunk",
    "Circuit",
    "CommentaryLine",
    "ControlMessage",
    "Driver",
    "Entry",
    "InjectedFault",
    "Lap",
    "Lease",
    "Race",
    "RaceQuerySet",
    "ReadingChunk",
    "RecorderOffset",
    "Result",
    "Team",
    "WorkerHeartbeat",
    "moment",
]
