"""The boxes of the guide: each looks at what a learner did, and says what is missing without giving it away."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from races.live.service import service
from races.models import Answer, Race
from races.sim import load_season
from races.streams import connection

LONGEST = 80
EARLY, LATE = 3, 1  # points for a car named before its first alarm, and after it


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of an answer. guess_on: a race that has to end before the answer can be judged. keep: the answer
    takes the place of the one before.
    """

    right: bool
    words: str
    guess_on: Race | None = None
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Box:
    """One exercise. check takes the visitor and what they wrote."""

    name: str
    part: str
    title: str
    ask: str
    label: str
    check: Callable[[str, str], Checked]


def my_race(client: str) -> Race | None:
    """The newest race that a visitor started, or in which they have picked somebody."""
    picked = Race.objects.filter(picks__member__client=client).values("pk")
    return Race.objects.defer("frozen").filter(Q(client=client) | Q(pk__in=picked)).first()


def partition(client: str, given: str) -> Checked:
    race = my_race(client)
    if race is None or not race.is_active:
        return Checked(False, "You have no race that runs. Start one, and answer while it does.")
    right = service().feed.partition_of(str(race.pk))
    if right is None:
        return Checked(False, "Your race has published nothing yet. Wait for its lights.")
    if not given.isascii() or not given.isdigit():
        return Checked(False, "A partition is a whole number.")
    if given.lstrip("0") == (str(right) if right else ""):
        return Checked(True, "Right. All positions of this race are there: its id is their key.")
    words = "No. A line of tail_topic begins with partition@offset; --race shows your race alone."
    return Checked(False, words)


def schema(client: str, given: str) -> Checked:
    """Holds a subject of the learner's against its own first version."""
    kafka = connection.current()
    registry = kafka.embedded_registry or kafka.client
    if given.startswith("f1-"):
        return Checked(False, "That subject is the lab's. Register one of your own.")
    versions = registry.versions(given) if registry is not None and given else []
    if len(versions) < 2:
        have = "one version" if versions else "no version"
        return Checked(
            False, f"The registry has {have} of that subject. It needs a second one, with a new field."
        )
    first, newest = _fields(versions[0].text), _fields(versions[-1].text)
    added = [field for name, field in newest.items() if name not in first]
    if not added:
        return Checked(False, "Its newest version has no field that the first one lacks.")
    if not all("default" in field for field in added):
        return Checked(
            False, "A new field has no default. What would a reader put there for an older record?"
        )
    return Checked(True, "Right. A reader with the new schema fills the new field in for older records.")


def _fields(text: str) -> dict[str, dict[str, Any]]:
    """The fields of an Avro record; none of anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    fields = found.get("fields", []) if isinstance(found, dict) else []
    return {str(one["name"]): one for one in fields if isinstance(one, dict) and "name" in one}


def fault(client: str, given: str) -> Checked:
    """Takes a guess while the race runs. `judge` says afterwards what it was worth."""
    race = my_race(client)
    if race is None or not race.is_active or not race.anomaly_detection:
        words = "You have no race that runs with engine readings. Tick them on the start page, then guess."
        return Checked(False, words, keep=False)
    if Answer.objects.filter(client=client, exercise="fault", race=race).exists():
        words = "You have guessed in this race already. It is judged after the flag."
        return Checked(False, words, keep=False)
    if given.upper() not in {driver.code for driver in load_season().drivers}:
        return Checked(False, "Name a car by its three letters, such as NOR.", keep=False)
    return Checked(False, "Kept. Look here again after the flag.", guess_on=race)


BOXES = (
    Box(
        "partition", "03-topics", "Where is my race?",
        "On which partition are the positions of your race? Start one, find out, and answer while it runs.",
        "Partition", partition,
    ),
    Box(
        "schema", "03-topics", "A schema that grows",
        "Register an Avro schema under a subject of your own, then a second version with one more field, so that "
        "readers of the new one still understand older records. Which subject?",
        "Subject", schema,
    ),
    Box(
        "fault", "08-anomalies", "Which car is ill?",
        f"Guess before the flag, from the engines alone: {EARLY} points before the first alarm on that car, {LATE} "
        "after it. One guess a race.",
        "Car", fault,
    ),
)  # fmt: skip


def answer(client: str, box: Box, given: str) -> Answer:
    """Checks what a visitor wrote and keeps it. Raises StreamError where Kafka or the registry is away."""
    given = given.replace("\0", "").strip()[:LONGEST]
    row, _ = Answer.objects.get_or_create(client=client, exercise=box.name)
    judge(row)
    checked = box.check(client, given)
    if checked.keep:
        row.given, row.race = given, checked.guess_on
        row.tick = max(checked.guess_on.published_tick, 0) if checked.guess_on else 0
    row.tries += 1
    row.done = row.done or checked.right
    row.words, row.answered_at = checked.words, timezone.now()
    row.save()
    return row


def judge(row: Answer) -> None:
    """Says what a guess was worth, once the race that it is about has ended."""
    race = row.race
    if race is None or race.is_active:
        return
    ill = race.faults.filter(driver_code=row.given.upper(), start_tick__lte=race.published_tick).first()
    if ill is None:
        row.words = (
            f"{row.given} was not ill. The report's engine room, which is open now, shows which cars were."
        )
    else:
        alarm = race.alarms.filter(driver_code=ill.driver_code).order_by("start_ms").first()
        early = alarm is None or race.event_ms(row.tick) < alarm.start_ms
        row.score += EARLY if early else LATE
        row.words = (
            f"Right, {'before' if early else 'after'} the first alarm on it. You have {row.score} points."
        )
        row.done = True
    row.race = None
    row.save(update_fields=["words", "score", "done", "race"])


def boxes_of(client: str, part: str) -> list[tuple[Box, Answer | None]]:
    """The boxes of a part of the guide, each with the visitor's newest answer."""
    rows = {row.exercise: row for row in Answer.objects.filter(client=client).select_related("race")}
    for row in rows.values():
        judge(row)
    return [(box, rows.get(box.name)) for box in BOXES if box.part == part]
