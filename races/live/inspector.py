"""Looks inside: finds the record behind a number of the page, and shows any record as Kafka holds it.

Nothing is kept for this while a race runs. A cell's name and its tick say when the record was written; it is looked for
in Kafka by that time, and then read again by partition and offset."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from races.board.frames import event_of
from races.lib.tracing import STAGES, tracer
from races.live.rendering.formatting import NONE, clock, gap, lap_time, places_won
from races.live.rendering.screen import SLOW_TICKS
from races.models import Race
from races.streams.connection import Connection
from races.streams.consumer import Message
from races.streams.errors import BadRecord, RegistryUnavailable
from races.streams.framing import HEADER, schema_id_of
from races.streams.record_reader import StoredRecord
from races.streams.registry.client import SchemaId
from races.streams.topics import subject

Record = Mapping[str, Any]
BEFORE_MS, AFTER_MS = 10_000, 1_000  # around a cell's tick: readings and averages come less often than ticks
HEX_BYTES = 1024  # of a record that are shown; ours have a third of it


class NoRecord(Exception):
    """No record is behind that; the words say why."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures of a column come from: the topic's role, the fields, and how the page writes them.

    turn: the tick of each second at which the page writes it, None for each tick.
    """

    role: str
    fields: tuple[str, ...]
    text: Callable[[Record], str]
    turn: int | None = None


def _gap(record: Record) -> str:
    if record["position"] == 1:
        return "Winner" if record.get("status") == "finished" else "Leader"
    return gap(record["gap_s"], record["laps_down"])


def _timed(name: str) -> Callable[[Record], str]:
    return lambda record: lap_time(record[name])


def _plain(name: str) -> Callable[[Record], str]:
    return lambda record: str(record[name])


SOURCES = {
    "pos": Source("positions", ("position",), _plain("position")),
    "won": Source(
        "positions", ("grid", "position"), lambda r: places_won(r["grid"] - r["position"] if r["grid"] else 0)
    ),
    "state": Source("positions", ("status", "overtake_mode", "interval_s"), _plain("status")),
    "gap": Source("positions", ("gap_s", "laps_down"), _gap),
    "int": Source(
        "positions", ("interval_s",), lambda r: NONE if r["position"] == 1 else gap(r["interval_s"])
    ),
    "last": Source("positions", ("last_lap_s",), _timed("last_lap_s")),
    "best": Source("positions", ("best_lap_s",), _timed("best_lap_s")),
    "s1": Source("positions", ("sector_1_s",), _timed("sector_1_s")),
    "s2": Source("positions", ("sector_2_s",), _timed("sector_2_s")),
    "s3": Source("positions", ("sector_3_s",), _timed("sector_3_s")),
    "tyre": Source("positions", ("tyre", "tyre_age"), lambda r: f"{r['tyre'][:1]}{r['tyre_age']}", 0),
    "plan": Source("positions", ("stints",), _plain("stints"), 0),
    "dot": Source("positions", ("lap_fraction", "status"), _plain("lap_fraction")),
    "clock": Source("positions", ("race_time_s",), lambda r: clock(r["race_time_s"])),
    "lap": Source("positions", ("lap",), _plain("lap")),
    "flag": Source("positions", ("flag", "yellow_sector", "phase"), _plain("flag")),
    "speed": Source("avg_speed", ("avg_speed",), lambda r: f"{r['avg_speed']:.1f}", 1),
    "alarm": Source(
        "car_metrics_anomalies", ("engine_temperature", "is_anomaly"), _plain("engine_temperature")
    ),
    "engine": Source(
        "car_metrics_anomalies", ("engine_temperature", "is_anomaly"), _plain("engine_temperature")
    ),
    "commentary": Source("commentary", ("message",), _plain("message")),
    "control": Source("race_control", ("message",), _plain("message")),
}
WORKER, ANALYTICS = "the race worker", "the {engine} engine"
WRITERS = {
    "positions": (WORKER, "the simulation's tick; nothing is read from Kafka for it"),
    "race_control": (WORKER, "what happened in the simulation since the tick before"),
    "car_metrics": (WORKER, "the simulated sensor of this car's engine"),
    "avg_speed": (ANALYTICS, "every position of this driver so far: AVG(speed), a row a driver"),
    "commentary": (ANALYTICS, "positions and race control up to this instant"),
    "car_metrics_anomalies": (
        ANALYTICS,
        "the readings of this engine up to this instant: a forecast, a band and a verdict",
    ),
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """A record as people look at it. Everything in it may be a stranger's text.

    field rows: (name, value as JSON, whether it made the number). error: why it cannot be decoded. stages: (stage,
    seconds after the tick was due), as this process saw them.
    """

    role: str
    topic: str
    partition: int
    offset: int
    key: str
    schema_id: SchemaId | None
    schema_type: str
    schema_text: str
    subject: str
    size: int
    framing: str
    body: str
    cut: int
    fields: tuple[tuple[str, str, bool], ...]
    error: str
    event_ms: int
    appended_ms: int | None
    writer: str
    source: str
    shown: str = ""
    stages: tuple[tuple[str, float], ...] = field(default_factory=tuple)


class Inspector:
    """partition: that of the race's positions, where it is known, which spares the search in the others."""

    def __init__(self, kafka: Connection, engine: str, partition: int | None = None) -> None:
        self._kafka, self._engine = kafka, engine
        self._partitions = () if partition is None else (partition,)
        self._reader = kafka.reader()

    def behind(self, race: Race, cell: str, tick: int, shown: str = "") -> Inspection:
        """Finds the record behind a cell of the page: its name as on the page (gap-NOR, commentary:ID), and the tick.

        shown: the cell's text, which settles which record it is where several are near. Raises NoRecord,
        BrokerUnavailable, RegistryUnavailable.
        """
        column, who = cell.split(":", 1) if ":" in cell else (cell.partition("-")[0], cell.partition("-")[2])
        source = SOURCES.get(column)
        if source is None:
            raise NoRecord("No record is behind that: the page makes it of several, or writes it by itself.")
        if source.turn is not None and not race.published_over:
            tick -= (tick - source.turn) % SLOW_TICKS
        at = race.event_ms(max(tick, 0))
        if column in ("commentary", "control"):  # a line has its own instant
            at = tick
        found = self._candidates(race, source.role, who, at)
        newest = found[-1] if found else None
        match = next((one for one in reversed(found) if source.text(one[1]) == shown), newest)
        if match is None:
            raise NoRecord(
                f"{self._kafka.settings.topic(source.role)} holds no such record any more, or not yet."
            )
        place = match[0].message
        return self.at(race, source.role, place.partition, place.offset, source.fields, source.text(match[1]))

    def _candidates(self, race: Race, role: str, who: str, at: int) -> list[tuple[StoredRecord, Record]]:
        """Returns the records that the cell may show, oldest first: of its tick, or the newest ones before it."""
        race_id = str(race.pk).encode()
        exact = role in ("positions", "race_control")
        since, until = (at, at) if exact else (at - BEFORE_MS, at + AFTER_MS)

        def wanted(message: Message) -> bool:
            return (
                race_id in (message.key or b"") or race_id in (message.value or b"") or role == "commentary"
            )

        found = []
        places = self._partitions if role == "positions" else ()
        for stored in self._reader.between(role, since, until, wanted, places):
            record, _ = self._decoded(stored.message)
            key = self._key(stored.message)
            if record is not None and _is_of(race, role, who, key, record):
                found.append((stored, record))
        return found

    def at(
        self,
        race: Race,
        role: str,
        partition: int,
        offset: int,
        marked: tuple[str, ...] = (),
        shown: str = "",
    ) -> Inspection:
        """Reads one record from Kafka and takes it apart. marked: the fields that made the number.

        Raises NoRecord, BrokerUnavailable.
        """
        stored = self._reader.at(role, partition, offset)
        topic = self._kafka.settings.topic(role)
        if stored is None:
            raise NoRecord(f"{topic} has no record at {partition}@{offset}: it is not written yet, or gone.")
        return self.taken_apart(race, stored, marked, shown)

    def taken_apart(
        self, race: Race | None, stored: StoredRecord, marked: tuple[str, ...] = (), shown: str = ""
    ) -> Inspection:
        message = stored.message
        value = message.value or b""
        record, error = self._decoded(message)
        schema: tuple[SchemaId | None, str, str] = (None, "", "")
        framing = HEADER.size
        try:
            framing = schema_id_of(value)[1]
            schema = self._kafka.codec.written_with(value)
        except (BadRecord, RegistryUnavailable) as reason:
            error = error or str(reason)
        key = self._key(message)
        writer, source = WRITERS[message.role]
        topic = self._kafka.settings.topic(message.role)
        return Inspection(
            role=message.role,
            topic=topic,
            partition=message.partition,
            offset=message.offset,
            key="none"
            if message.key is None
            else key
            if isinstance(key, str)
            else json.dumps(key, ensure_ascii=False),
            schema_id=schema[0],
            schema_type=schema[1],
            schema_text=_pretty(schema[2]),
            subject=subject(topic, "value"),
            size=len(value),
            framing=value[:framing].hex(" "),
            body=value[framing:HEX_BYTES].hex(" "),
            cut=max(len(value) - HEX_BYTES, 0),
            fields=tuple(
                (name, json.dumps(value, ensure_ascii=False), name in marked)
                for name, value in (record or {}).items()
            ),
            error=error,
            event_ms=message.timestamp_ms,
            appended_ms=stored.appended_ms,
            writer=writer.format(engine=self._engine),
            source=source,
            shown=shown,
            stages=_stages(race, record) if race is not None else (),
        )

    def _decoded(self, message: Message) -> tuple[Record | None, str]:
        """Returns the record, or None and why it cannot be decoded."""
        try:
            return self._kafka.codec.decode(message.role, message.value), ""
        except (BadRecord, RegistryUnavailable) as error:
            return None, str(error)

    def _key(self, message: Message) -> Any:
        """Returns the key: text, the record of an Avro key, or its bytes in hex where it cannot be decoded."""
        try:
            return self._kafka.codec.decode_key(message.role, message.key)
        except (BadRecord, RegistryUnavailable):
            return f"not readable: {(message.key or b'')[:64].hex(' ')}"


def _is_of(race: Race, role: str, who: str, key: Any, record: Record) -> bool:
    """Whether a record is of this race and of this driver, line or message."""
    race_id = str(race.pk)
    if role == "positions":
        return record["race_id"] == race_id and (
            record["driver_code"] == who or (not who and record["position"] == 1)
        )
    if role == "race_control":
        return record["race_id"] == race_id and who == f"e{event_of(record)}t{record['tick']}"
    if role == "commentary":
        return record["race_id"] in (None, race_id) and record["id"] == who
    if not isinstance(key, Mapping):
        return False
    if role == "avg_speed":
        names = {car["code"]: car["name"] for car in race.frozen.get("cars", ())}
        return bool(key["race_id"] == race_id and key["driver_name"] == names.get(who))
    return bool(key["key"] == f"{race_id}:{who}")


def _stages(race: Race, record: Record | None) -> tuple[tuple[str, float], ...]:
    """When the record's tick reached each stage, in seconds after the first one that this process knows."""
    tick = (record or {}).get("tick")
    reached = tracer.stages_of(str(race.pk)).get(tick, {}) if isinstance(tick, int) else {}
    first = min(reached.values(), default=0.0)
    return tuple((stage, round(reached[stage] - first, 4)) for stage in STAGES if stage in reached)


def _pretty(text: str) -> str:
    """Writes a schema with a field a line, as far as it is JSON."""
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except ValueError:
        return text
