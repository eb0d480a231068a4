from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from races.flink.exercises import Exercise
from races.flink.exercises.check import Verdict
from races.lab.addresses import is_shared, running_lab
from races.lab.exercise_check import check_answer, exercise_of, newest_race
from races.lab.guide_checks import NO_FLINK, SHARED, SHELL
from races.lab.guide_work import BOXES, Box, all_boxes, answer, newest_answer
from races.lab.running_kafka import NoLab, kafka_of_lab
from races.management.base import LabCommand
from races.models import Race
from races.streams import connection
from races.streams.errors import StreamError, TopicsMissing
from races.streams.registry.client import HttpRegistry


class Command(LabCommand):
    help = """Check an exercise of the guide: what you did beside what the lab knows, as its boxes at /lab/ do.

  python manage.py check_exercise                           the list of all exercises
  python manage.py check_exercise partition 2               your answer to one with a name
  python manage.py check_exercise 3                         one in SQL: the topic exercise-3, the newest race
  python manage.py check_exercise 3 --topic my-pit-stops    another topic
  python manage.py check_exercise 3 --show                  only the question, and the table that takes the answer

For SQL create the table that --show prints, INSERT INTO it from the newest race on, and let the race come to its end.
The check says what is missing and gives nothing away. It ends with 0 where all is right, else with 1."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("exercise", nargs="?", default="", help="a number (1 to 12, in SQL) or a name")
        parser.add_argument("answer", nargs="?", default="", help="your answer to one with a name")
        parser.add_argument("--topic", help="your topic; default: exercise-N")
        parser.add_argument("--race", help="the race's id; default: the newest")
        parser.add_argument("--show", action="store_true", help="the question and the table, no check")

    def handle(self, *args: Any, exercise: str, answer: str, **options: Any) -> None:
        if not exercise:
            for box in all_boxes():
                self.stdout.write(f"{box.name.removeprefix('sql-'):11} {box.part:14} {box.title}")
            return
        if exercise.isdecimal():
            self._check_sql(int(exercise), options)
            return
        known = {one.name: one for one in BOXES}
        if exercise not in known:
            names = ", ".join(known)
            raise CommandError(f"There is no exercise {exercise}. There are 1 to 12, and {names}.")
        self._check_box(known[exercise], answer, options["show"])

    def _check_box(self, box: Box, given: str, show: bool) -> None:
        self.stdout.write(box.ask)
        if show:
            return
        try:
            connection.use(connection.connect(kafka_of_lab(None)))
            row = answer(SHELL, box, given) if given else newest_answer(SHELL, box)
        except (NoLab, StreamError) as error:
            raise CommandError(str(error)) from None
        finally:
            connection.use(None)
        if row is None:
            raise CommandError(f"Write your answer behind the name: check_exercise {box.name} ANSWER")
        self.stdout.write(row.words)
        if not row.done:
            raise CommandError("Not right yet.")

    def _check_sql(self, number: int, options: dict[str, Any]) -> None:
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
        if is_shared():
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
