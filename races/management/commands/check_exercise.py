from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from races.flink.exercises import Exercise
from races.flink.exercises.check import Verdict
from races.lab.addresses import is_loopback, running_lab
from races.lab.exercise_check import check_answer, exercise_of, newest_race
from races.management.base import LabCommand
from races.models import Race
from races.streams.errors import StreamError, TopicsMissing
from races.streams.registry.client import HttpRegistry

NO_FLINK = (
    "The exercises run on Flink, which cannot use this lab's own small Kafka. Start  make flink  instead."
)
SHARED = "This lab is shared, so the answer is checked and not counted: the topic may be anybody's."


class Command(LabCommand):
    help = """Check an exercise of the guide: the rows of your topic beside what the simulation knows of the race.

  python manage.py check_exercise 3                         the topic exercise-3, the newest race
  python manage.py check_exercise 3 --topic my-pit-stops    another topic
  python manage.py check_exercise 3 --show                  only the question, and the table that takes the answer

Create the table that --show prints, INSERT INTO it from the newest race on, and let the race come to its end. The
check says what is missing and gives nothing away. It ends with 0 where all is right, else with 1."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="the exercise: 1 to 12")
        parser.add_argument("--topic", help="your topic; default: exercise-N")
        parser.add_argument("--race", help="the race's id; default: the newest")
        parser.add_argument("--show", action="store_true", help="the question and the table, no check")

    def handle(self, *args: Any, number: int, **options: Any) -> None:
        exercise = exercise_of(number)
        if exercise is None:
            raise CommandError(f"There is no exercise {number}; there are 1 to 12.")
        self.stdout.write(f"Exercise {number}: {exercise.ask}")
        if options["show"]:
            self.stdout.write(
                f"{exercise.see}\n\n{exercise.create_table};\nINSERT INTO `{exercise.topic}`\nSELECT …"
            )
            return
        named = options["race"]
        try:
            race = Race.objects.filter(pk=named).first() if named else newest_race()
        except ValidationError:
            race = None
        if race is None:
            raise CommandError(
                f"There is no race {named}." if named else "No race has started yet. Start one first."
            )
        verdict = _verdict(exercise, race, options["topic"] or exercise.topic)
        self._say(verdict, race)
        if not verdict.right:
            raise CommandError("Not right yet.")

    def _say(self, verdict: Verdict, race: Race) -> None:
        of = f"the race at {race.circuit} ({str(race.pk)[:8]})"
        for line in verdict.words:
            self.stdout.write(line)
        if race.is_active:
            self.stdout.write(
                "The race still runs. Check again after the flag: what is newest may not be there yet."
            )
        if not is_loopback(urlsplit(running_lab()).hostname or "127.0.0.1"):
            self.stdout.write(SHARED)
        if verdict.right:
            self.stdout.write(f"Right: all {verdict.expected} rows of {of} are there, and no other.")


def _verdict(exercise: Exercise, race: Race, topic: str) -> Verdict:
    """Raises CommandError where Kafka, the registry or the topic is not there."""
    kafka, lab = settings.LAB.kafka, running_lab()
    if kafka is None:
        raise CommandError(NO_FLINK)
    url = kafka.registry_url or (f"{lab}/registry" if lab else "")
    if not url:
        raise CommandError("The registry is the lab's own, and no lab runs here. Start it first.")
    registry = HttpRegistry(url, kafka.registry_auth, kafka.registry_ca)
    try:
        return check_answer(kafka, registry, exercise, race, topic)
    except TopicsMissing as error:
        raise CommandError(f"{error} Create the table first: {exercise.create_table}") from None
    except StreamError as error:
        raise CommandError(str(error)) from None
    finally:
        registry.close()
