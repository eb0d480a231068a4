"""The boxes of the guide: the exercises of each part, what a learner has answered, and what it was worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.utils import timezone

from races.flink.exercises import exercises
from races.lab import guide_checks as checks
from races.lab.guide_checks import EARLY, LATE, Checked
from races.models import Answer

LONGEST, LONGEST_WORDS = 80, 500


@dataclass(frozen=True, slots=True)
class Box:
    """One exercise. check takes the visitor and what they wrote. suggested: stands in the box before they write."""

    name: str
    part: str
    title: str
    ask: str
    label: str
    check: Callable[[str, str], Checked]
    suggested: str = ""


BOXES = (
    Box(
        "partition", "03-topics", "Where is my race?",
        "On which partition are the positions of your race? Start one, find out, and answer while it runs.",
        "Partition", checks.partition,
    ),
    Box(
        "schema", "03-topics", "A schema that grows",
        "Register an Avro schema under a subject of your own, then a second version with one more field, so that "
        "readers of the new one still understand older records. Which subject?",
        "Subject", checks.schema,
    ),
    Box(
        "fault", "08-anomalies", "Which car is ill?",
        f"Guess before the flag, from the engines alone: {EARLY} points before the first alarm on that car, {LATE} "
        "after it. One guess a race.",
        "Car", checks.fault,
    ),
    Box(
        "pits", "09-exercises", "Who stood longest?",
        "Whose stops, added up, took longest standing still? Your newest race that has ended counts.",
        "Car", checks.longest_in_pits,
    ),
    Box(
        "overtakes", "09-exercises", "How many overtakes?",
        "How many overtakes has race control announced in your newest race that has ended?",
        "Number", checks.overtakes,
    ),
    Box(
        "panel", "09-exercises", "A panel of your own",
        "Which top speed does your panel show after the flag, of all cars?",
        "km/h", checks.top_speed,
    ),
    Box(
        "new-fault", "09-exercises", "A fault of your own",
        "Run a race with your kind of fault to its end. What is the kind called in your code?",
        "Kind", checks.new_fault,
    ),
    Box(
        "json", "09-exercises", "A JSON Schema that grows",
        "Give your JSON subject a second version with one more property. Which subject?",
        "Subject", checks.json_schema,
    ),
    Box(
        "seed", "09-exercises", "One seed for everybody",
        "By how many seconds was the second beaten in the race of the command above? All three decimals count.",
        "Seconds", checks.one_seed,
    ),
    Box(
        "group", "15-guarantees", "Two readers, one group",
        "Let two readers of one group share the positions, and commit. What is the group called?",
        "Group", checks.group,
    ),
    Box(
        "delivery", "15-guarantees", "At least once",
        "Press the drill “Send each tick twice” while your race runs. After the flag: how many different positions "
        "does the topic hold of it?",
        "Number", checks.delivery,
    ),
    Box(
        "compaction", "15-guarantees", "What compaction keeps",
        "If f1-driver-avg-speed were compacted, how many of its records would stay of your race that has ended?",
        "Number", checks.compaction,
    ),
)  # fmt: skip


def sql_boxes() -> list[Box]:
    """A box for each exercise in Flink SQL, with the configured names of topics."""
    return [
        Box(
            f"sql-{one.number}",
            "09-exercises",
            f"SQL {one.number}: {one.name}",
            f"{one.ask} {one.see}".replace("`", ""),
            "Topic",
            partial(checks.sql, exercise_number=one.number),
            one.topic,
        )
        for one in exercises(settings.LAB.topics)
    ]


def all_boxes() -> list[Box]:
    return [*BOXES, *sql_boxes()]


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
    row.words, row.answered_at = checked.words[:LONGEST_WORDS], timezone.now()
    row.save()
    return row


def newest_answer(client: str, box: Box) -> Answer | None:
    """What a visitor wrote last into a box, judged where its race has ended; None for nothing."""
    row = Answer.objects.filter(client=client, exercise=box.name).first()
    if row is not None:
        judge(row)
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
    return [(box, rows.get(box.name)) for box in all_boxes() if box.part == part]
