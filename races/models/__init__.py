"""A race's life and its history. Rules about races sit here, on models and querysets."""

from races.models.answers import Answer
from races.models.classes import Classroom, Member, Pick
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
    "Answer",
    "ApiToken",
    "BoardChunk",
    "Circuit",
    "Classroom",
    "CommentaryLine",
    "ControlMessage",
    "Driver",
    "Entry",
    "InjectedFault",
    "Lap",
    "Lease",
    "Member",
    "Pick",
    "Race",
    "RaceQuerySet",
    "ReadingChunk",
    "RecorderOffset",
    "Result",
    "Team",
    "WorkerHeartbeat",
    "moment",
]
