"""The learner's topic and the race's truth, read for the check of an exercise."""

from __future__ import annotations

from django.conf import settings

from races.flink.exercises import Exercise, exercises
from races.flink.exercises.check import Verdict, check
from races.flink.exercises.truth import Truth
from races.models import Race
from races.streams.config import StreamSettings
from races.streams.registry.client import SchemaClient
from races.streams.whole_topic import read_whole

STUCK = "stuck_sensor"
BEFORE_MS = 10_000


def exercise_of(number: int) -> Exercise | None:
    """The exercise of that number, with the configured names of topics."""
    return next((one for one in exercises(settings.LAB.topics) if one.number == number), None)


def newest_race() -> Race | None:
    """The race that began last; a query that reads the newest race reads this one."""
    return Race.objects.filter(started_ms__isnull=False).order_by("-started_ms").first()


def truth_of(kafka: StreamSettings, registry: SchemaClient, race: Race) -> Truth:
    """What the simulation has published of the race, and the faults that it has put into it. Raises StreamError."""
    since = (race.started_ms or 0) - BEFORE_MS
    roles = {}
    for role in ("positions", "race_control", "car_metrics"):
        read = read_whole(kafka, registry, kafka.topic(role), since)
        mine = [value for _, value in read.records if value and value["race_id"] == str(race.pk)]
        roles[role] = sorted(mine, key=lambda value: (value["timestamp"], value.get("event", 0)))
    stuck = [(one.driver_code, one.start_tick) for one in race.faults.filter(kind=STUCK)]
    return Truth(str(race.pk), roles["positions"], roles["race_control"], roles["car_metrics"], stuck)


def check_answer(
    kafka: StreamSettings, registry: SchemaClient, exercise: Exercise, race: Race, topic: str
) -> Verdict:
    """Raises StreamError, TopicsMissing of a topic that does not exist among them."""
    answer = read_whole(kafka, registry, topic)
    return check(exercise, answer.newest(), truth_of(kafka, registry, race))
