"""What the guide's boxes look at: each says what is missing in a learner's answer, without giving it away."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from django.db.models import Q

from races.board.storage import unpack_frames
from races.lab.addresses import is_shared
from races.lab.exercise_check import check_answer, exercise_of, newest_race
from races.live.service import service
from races.models import Answer, BoardChunk, Race
from races.sim import Race as SimulatedRace
from races.sim import RaceSettings, load_season
from races.streams import connection
from races.streams.consumer import consumer_options
from races.streams.errors import BrokerUnavailable, TopicsMissing

SHELL = "shell"  # who answers by check_exercise: the races of the whole lab are theirs
EARLY, LATE = 3, 1  # points for a car named before its first alarm, and after it
ANSWER_S = 5.0
NO_FLINK = "The exercises in SQL run on Flink, which cannot use this lab's own small Kafka. Start  make flink  instead."
SHARED = "This lab is shared, so the answer is checked and not counted: the topic may be anybody's."
KNOWN_FAULTS = frozenset({"leak", "blocked_radiator", "stuck_sensor", "spike"})
ONE_SEED = RaceSettings("spielberg", 1, 60, 2026)
NONE_ENDED = "You have no race that has ended. Start one, and answer after its flag."


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of an answer. guess_on: a race that has to end before the answer can be judged. keep: the answer
    takes the place of the one before.
    """

    right: bool
    words: str
    guess_on: Race | None = None
    keep: bool = True


def races_of(client: str) -> Any:
    """The races that a visitor started, or in which they have picked somebody, the newest first."""
    races = Race.objects.defer("frozen")
    if client == SHELL:
        return races
    picked = Race.objects.filter(picks__member__client=client).values("pk")
    return races.filter(Q(client=client) | Q(pk__in=picked))


def my_race(client: str) -> Race | None:
    found: Race | None = races_of(client).first()
    return found


def of_my_ended_race(check: Callable[[Race, str], Checked]) -> Callable[[str, str], Checked]:
    """Makes a check of a race one of a visitor: it looks at the newest race whose result is in the history."""

    @wraps(check)
    def checked(client: str, given: str) -> Checked:
        ended = races_of(client).filter(results__isnull=False).exclude(status="running")
        race: Race | None = ended.first()
        return Checked(False, NONE_ENDED) if race is None else check(race, given)

    return checked


def number(given: str) -> int | None:
    """The whole number that somebody wrote; None for anything else."""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 12 else None


def partition(client: str, given: str) -> Checked:
    race = my_race(client)
    if race is None or not race.is_active:
        return Checked(False, "You have no race that runs. Start one, and answer while it does.")
    key = str(race.pk)
    right = _partition_in_kafka(key) if client == SHELL else service().feed.partition_of(key)
    if right is None:
        return Checked(False, "Your race has published nothing yet. Wait for its lights.")
    if number(given) is None:
        return Checked(False, "A partition is a whole number.")
    if number(given) == right:
        return Checked(True, "Right. All positions of this race are there: its id is their key.")
    words = "No. A line of tail_topic begins with partition@offset; --race shows your race alone."
    return Checked(False, words)


def _partition_in_kafka(race_id: str) -> int | None:
    """Reads along until a record of the race comes; None where none comes for some seconds."""
    tail, until = connection.current().tail(["positions"]), time.monotonic() + ANSWER_S
    try:
        while time.monotonic() < until:
            for message in tail.poll(100, 0.2):
                if message.key == race_id.encode():
                    return message.partition
    finally:
        tail.close()
    return None


def schema(client: str, given: str) -> Checked:
    """Holds a subject of the learner's against its own first version."""
    texts = _two_versions(given)
    if isinstance(texts, str):
        return Checked(False, texts)
    first, newest = _fields(texts[0]), _fields(texts[1])
    added = [field for name, field in newest.items() if name not in first]
    if not added:
        return Checked(False, "Its newest version has no field that the first one lacks.")
    if not all("default" in field for field in added):
        return Checked(
            False, "A new field has no default. What would a reader put there for an older record?"
        )
    return Checked(True, "Right. A reader with the new schema fills the new field in for older records.")


def json_schema(client: str, given: str) -> Checked:
    """Holds a subject with JSON Schema against its own first version."""
    texts = _two_versions(given)
    if isinstance(texts, str):
        return Checked(False, texts)
    first, newest = (_parsed(text).get("properties", {}) for text in texts)
    if not newest:
        return Checked(False, "That subject holds no JSON Schema with properties.")
    if not newest.keys() - first.keys():
        return Checked(False, "Its newest version has no property that the first one lacks.")
    return Checked(True, "Right. Readers with the older schema pass over the new property.")


def _two_versions(subject: str) -> tuple[str, str] | str:
    """The first and the newest schema of a learner's subject; what is wrong, where there are not two."""
    if subject.startswith("f1-"):
        return "That subject is the lab's. Register one of your own."
    kafka = connection.current()
    registry = kafka.embedded_registry or kafka.client
    versions = registry.versions(subject) if registry is not None and subject else []
    if len(versions) < 2:
        have = "one version" if versions else "no version"
        return f"The registry has {have} of that subject. It needs a second one, with a new field."
    return versions[0].text, versions[-1].text


def _parsed(text: str) -> dict[str, Any]:
    """A schema as an object; empty where it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fields(text: str) -> dict[str, dict[str, Any]]:
    """The fields of an Avro record; none of anything else."""
    fields = _parsed(text).get("fields", [])
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


def group(client: str, given: str) -> Checked:
    """Looks at the offsets that a consumer group of the learner's has committed."""
    kafka = connection.current().settings
    if not given or given == kafka.group:
        return Checked(False, "Give the group of your own readers a name, and write it here.")
    topic = kafka.topic("positions")
    try:
        done, behind = _committed(consumer_options(kafka) | {"group.id": given}, topic)
    except KafkaException as error:
        raise BrokerUnavailable(f"Kafka at {kafka.bootstrap}: {error.args[0].str()}") from None
    if not done:
        return Checked(False, f"The group {given} has committed nothing on {topic}. Do its readers commit?")
    words = (
        f"Right. The group has committed on {done} partition(s) and is {behind} record(s) behind: its lag."
    )
    return Checked(True, words)


def _committed(options: dict[str, Any], topic: str) -> tuple[int, int]:
    """On how many partitions a group has committed, and how many records it has left to read there."""
    consumer = Consumer(options)
    try:
        numbers = consumer.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions
        asked = [TopicPartition(topic, one) for one in numbers]
        found = [one for one in consumer.committed(asked, timeout=ANSWER_S) if one.offset >= 0]
        ends = [consumer.get_watermark_offsets(one, timeout=ANSWER_S)[1] for one in found]
        return len(found), sum(end - one.offset for one, end in zip(found, ends, strict=True))
    finally:
        consumer.close()


@of_my_ended_race
def compaction(race: Race, given: str) -> Checked:
    """Compares with the number of keys that the averages of the learner's race have."""
    if number(given) == race.entries.count():
        return Checked(True, "Right. Of each key the newest record stays, and a key is a driver and a race.")
    return Checked(False, "No. Of each key one record stays. What is the key of an average?")


@of_my_ended_race
def delivery(race: Race, given: str) -> Checked:
    """Compares with the number of different positions that the learner's race has published."""
    different = (race.published_tick + 1) * race.entries.count()
    if number(given) == different:
        return Checked(True, "Right. However often a record comes, its driver and its tick count once.")
    more = (number(given) or 0) > different
    why = (
        "Some of yours are the same record again."
        if more
        else "Did you read the race from its first tick on?"
    )
    return Checked(False, f"No. {why}")


@of_my_ended_race
def longest_in_pits(race: Race, given: str) -> Checked:
    """Adds up the stationary times that race control has said."""
    stood: dict[str, float] = defaultdict(float)
    for code, value in race.control.filter(type="pit_out").values_list("driver_code", "value"):
        stood[code] += value or 0
    if not stood:
        return Checked(False, "Nobody stopped in that race. Start one with more laps.")
    if given.upper() == max(stood, key=lambda code: stood[code]):
        return Checked(True, f"Right: {stood[given.upper()]:.1f} s in all.")
    return Checked(False, "No. Add up `value` of each pit_out of this race alone, by driver.")


@of_my_ended_race
def overtakes(race: Race, given: str) -> Checked:
    if number(given) == race.control.filter(type="overtake").count():
        return Checked(True, "Right.")
    return Checked(False, "No. Other races are in the topic too: count the records whose race_id is yours.")


@of_my_ended_race
def top_speed(race: Race, given: str) -> Checked:
    """Compares with the fastest record of the learner's race, to a km/h."""
    chunks = BoardChunk.objects.filter(race=race).values_list("data", flat=True)
    speeds = (
        car["speed"] for data in chunks for frame in unpack_frames(bytes(data)) for car in frame["cars"]
    )
    if abs((number(given.split(".")[0]) or 0) - max(speeds, default=0.0)) <= 1:
        return Checked(True, "Right. Your panel and the records agree.")
    return Checked(False, "No. The figure is the highest speed of any car in any tick, in km/h.")


@of_my_ended_race
def new_fault(race: Race, given: str) -> Checked:
    """Looks for a fault in the learner's race that the lab did not have."""
    own = {kind for kind in race.faults.values_list("kind", flat=True) if kind not in KNOWN_FAULTS}
    if given in own:
        caught = race.alarms.filter(driver_code__in=race.faults.filter(kind=given).values("driver_code"))
        return Checked(True, f"Right: it was in your race, and {caught.count()} alarm(s) came of its cars.")
    found = "no fault of a new kind" if not own else "a fault of a new kind, and not of this name"
    return Checked(False, f"Your newest race that has ended has {found}. Does it have engine readings?")


@cache
def _second_of_one_seed() -> float:
    """Simulates the guide's race and returns by how many seconds the second was beaten."""
    race = SimulatedRace(ONE_SEED, sensors=False)
    while not race.over:
        race.advance()
    return race.classification()[1].gap_s or 0.0


def one_seed(client: str, given: str) -> Checked:
    digits = given.removeprefix("+").removesuffix("s").strip().replace(",", ".")
    if digits == f"{_second_of_one_seed():.3f}":
        return Checked(True, "Right, to the millisecond, as on every machine.")
    return Checked(False, "No. Did the race have the seed, circuit, laps and settings of the command?")


def sql(client: str, given: str, exercise_number: int) -> Checked:
    """Holds the rows of the learner's topic against what the simulation knows of the newest race."""
    exercise, race, kafka = exercise_of(exercise_number), newest_race(), connection.current()
    registry = kafka.embedded_registry or kafka.client
    if kafka.settings.embedded or exercise is None or registry is None:
        return Checked(False, NO_FLINK)
    if race is None:
        return Checked(False, "No race has started yet. Start one first.")
    try:
        verdict = check_answer(kafka.settings, registry, exercise, race, given or exercise.topic)
    except TopicsMissing as error:
        return Checked(False, f"{error} Create the table first: {exercise.create_table}")
    words = " ".join(verdict.words) or f"Right: all {verdict.expected} rows are there, and no other."
    if race.is_active:
        words += " The race still runs. Check again after the flag."
    if is_shared():
        return Checked(False, f"{SHARED} {words}")
    return Checked(verdict.right, words)
