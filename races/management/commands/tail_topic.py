from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from races.lab.running_kafka import DEFAULT_LAB, NoLab, kafka_of_lab
from races.management.base import LabCommand
from races.streams.codec import Codec
from races.streams.consumer import Message, Tail
from races.streams.errors import BadRecord, RegistryUnavailable
from races.streams.registry.client import http_client
from races.streams.topics import TOPICS

WAIT_S, QUIET_S = 0.5, 3.0
NOTHING_NEW = "No new records. Is a race running? --from-beginning shows what is there already."


class Command(LabCommand):
    help = """Print a topic's records, decoded, a line each: partition, offset, key, value.

  python manage.py tail_topic f1-race-control                       from now on, until Ctrl-C
  python manage.py tail_topic f1-race-control --from-beginning      all that the topic still holds, then on
  python manage.py tail_topic positions --race 3f0c6d5e-… --count 5

The topic's name or its role (positions, race_control, car_metrics, avg_speed, commentary, car_metrics_anomalies).
Asks a running lab where its Kafka and its registry are; without one it takes those of config.yaml.
F1_LAB names the lab for all calls."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="topic or role")
        parser.add_argument("--from-beginning", action="store_true", help="begin with the oldest record")
        parser.add_argument("--race", help="records of one race only: its id")
        parser.add_argument("--count", type=int, help="stop after so many records")
        parser.add_argument("--lab", help=f"the lab's address; default: the running one's, {DEFAULT_LAB}")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        try:
            kafka = kafka_of_lab(options["lab"])
        except NoLab as error:
            raise CommandError(str(error)) from None
        if name in TOPICS:
            role = name
        else:
            try:
                role = kafka.role(name)
            except KeyError:
                names = ", ".join(kafka.topic(role) for role in TOPICS)
                raise CommandError(f"There is no topic '{name}' here. There are: {names}") from None
        registry = http_client(kafka)
        tail = Tail(kafka, [role], "beginning" if options["from_beginning"] else "end")
        try:
            self._print(Codec(kafka, registry), tail, options["race"], options["count"])
        except KeyboardInterrupt:
            pass
        except BrokenPipeError:
            # whoever read along has seen enough; the interpreter must not try to flush again at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            tail.close()
            registry.close()

    def _print(self, codec: Codec, tail: Tail, race: str | None, count: int | None) -> None:
        shown = 0
        for message in messages(tail, self.err.say):
            line = _line(codec, message)
            if race is not None and race not in line:
                continue
            self.out.say(line)
            shown += 1
            if count is not None and shown >= count:
                return


def messages(tail: Tail, tell: Any) -> Iterator[Message]:
    """Yields messages without an end, and says why when nothing can come."""
    said, quiet_s = "", 0.0
    while True:
        came = tail.poll(100, WAIT_S)
        yield from came
        quiet_s = 0.0 if came else quiet_s + WAIT_S
        if quiet_s == QUIET_S and tail.state.ok:
            tell(NOTHING_NEW)
        text = "" if tail.state.ok else tail.state.text
        if text and text != said and not text.endswith("not connected yet"):
            tell(text)
        said = text


def _line(codec: Codec, message: Message) -> str:
    place = f"{message.partition}@{message.offset}"
    try:
        key = codec.decode_key(message.role, message.key)
        value = None if message.value is None else codec.decode(message.role, message.value)
    except (BadRecord, RegistryUnavailable) as error:
        return f"{place}  cannot be decoded: {error}"
    shown = key if isinstance(key, str) else json.dumps(key, ensure_ascii=False)
    return f"{place}  {shown}  {'deleted' if value is None else json.dumps(value, ensure_ascii=False)}"
