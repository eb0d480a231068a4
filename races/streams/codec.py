"""Records to bytes and back: Confluent's framing (0, four bytes of schema id), then Avro or JSON.

Out: our own schema. In: whatever schema the id names, resolved to ours, so that older and newer writers,
Flink and records with the base fields only are all read as the same shape. Times come out as epoch
milliseconds.
"""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from threading import Lock
from typing import Any

from races.streams.config import StreamSettings
from races.streams.decoding import Decode, make_decode, parse_own
from races.streams.errors import BadRecord, Tombstone
from races.streams.fast_avro import make_encoder
from races.streams.framing import GUID_SIZE, HEADER, MAGIC, schema_id_of
from races.streams.registry.client import SchemaClient, SchemaId
from races.streams.schema_cache import SchemaCache
from races.streams.topics import TOPICS, Topic, compatibility, subject
from races.streams.validation import RecordSchema, avro_schema, json_schema

RECORD_LIMIT = 256 * 1024  # our largest is under 1 kB
REMEMBERED = 3000  # records of a role, twice over: half a second of forty races
MEMORABLE = 2048  # bytes: of larger ones, which only a stranger writes, so many would be gigabytes
KEY_LIMIT = 300
LAST_ID = 2**31 - 1
Record = dict[str, Any]


class _Side:
    """One of our own schemas: that of a topic's key or value."""

    def __init__(self, topic: Topic, part: str, name: str) -> None:
        self.topic, self.part, self.subject = topic, part, subject(name, part)
        self.is_json = part == "value" and topic.value_format == "json"
        self.text = (topic.key_schema or "") if part == "key" else topic.value_schema
        self.type = "JSON" if self.is_json else "AVRO"
        self.schema: RecordSchema = json_schema(self.text) if self.is_json else avro_schema(self.text)
        self.parsed = None if self.is_json else parse_own(self.text)
        self.write = _json_bytes if self.is_json else make_encoder(self.schema.fields)
        self.header = b""  # known once the registry has answered


class _RecordCache:
    """A cache of decoded records by their bytes: analytics, recorder and feed of one process read the same ones."""

    def __init__(self) -> None:
        self._new: dict[bytes, Record] = {}
        self._old: dict[bytes, Record] = {}

    def recall(self, data: bytes) -> Record | None:
        return self._new.get(data) or self._old.get(data)

    def keep(self, data: bytes, record: Record) -> None:
        if len(data) > MEMORABLE:
            return
        if len(self._new) >= REMEMBERED:
            self._old, self._new = self._new, {}
        self._new[data] = record


def _json_bytes(value: Record, header: bytes) -> bytes:
    return header + json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


class Codec:
    """Thread-safe. Everything that the registry says is asked once."""

    def __init__(self, settings: StreamSettings, registry: SchemaClient) -> None:
        self._settings, self._registry = settings, registry
        self._lookups = SchemaCache(registry)
        self._lock = Lock()
        self._sides: dict[tuple[str, str], _Side] = {}
        for role, topic in TOPICS.items():
            self._sides[role, "value"] = _Side(topic, "value", settings.topic(role))
            if topic.key_format == "avro":
                self._sides[role, "key"] = _Side(topic, "key", settings.topic(role))
        self._decoders: dict[tuple[str, str, SchemaId], Decode] = {}
        self._cache = {role: _RecordCache() for role in TOPICS}

    def topic(self, role: str) -> str:
        return self._settings.topic(role)

    def prepare(self) -> None:
        """Registers (or looks up) every schema now rather than at its first record. Raises
        RegistryUnavailable, RegistryRefused; may be called again.
        """
        for side in self._sides.values():
            if side.topic.role not in self._settings.unused:
                self._header(side)

    def schema_id(self, role: str) -> int:
        """The schema id of a role's value, for writers other than this codec. Raises RegistryUnavailable,
        RegistryRefused.
        """
        return int(HEADER.unpack(self._header(self._sides[role, "value"]))[1])

    def encode(self, role: str, value: Record) -> bytes:
        """Raises BadRecord (a field missing or of a wrong type), RegistryUnavailable, RegistryRefused."""
        return self._encode(self._sides[role, "value"], value)

    def encode_key(self, role: str, key: str | Record | None) -> bytes | None:
        if key is None:
            return None
        if isinstance(key, str):
            return key.encode()
        return self._encode(self._sides[role, "key"], key)

    def decode(self, role: str, data: bytes | None, ask: bool = True) -> Record:
        """Returns the record. It must not be changed: other readers of the same bytes get the same object.

        Raises BadRecord (Tombstone for None), and RegistryUnavailable while the schema is not known. With ask=False the
        registry is not asked: for callers that hold a lock, which call `learn` once they have released it.
        """
        if data is None:
            raise Tombstone("no value")
        cache = self._cache[role]
        record = cache.recall(data)
        if record is None:
            record = self._decode(role, "value", data, ask)
            cache.keep(data, record)
        return record

    def decode_key(self, role: str, data: bytes | None, ask: bool = True) -> str | Record | None:
        """Text, or the record of an Avro key. Raises BadRecord, RegistryUnavailable."""
        if data is None:
            return None
        if TOPICS[role].key_format == "avro":
            return self._decode(role, "key", data, ask)
        return text_key(data)

    def written_with(self, data: bytes) -> tuple[SchemaId, str, str]:
        """Returns the id, the type and the text of the schema that a record names, whatever its topic.

        Raises BadRecord, RegistryUnavailable.
        """
        schema_id, _ = schema_id_of(data)
        return schema_id, *self._lookups.schema(schema_id)

    def learn(self, role: str, key: bytes | None, value: bytes | None) -> None:
        """Asks the registry for what is needed to read these, which may take seconds. Raises RegistryUnavailable."""
        for part, data in (("key", key), ("value", value)):
            if data is not None and (role, part) in self._sides:
                with suppress(BadRecord):  # that is for the one who reads it
                    self._decoder_of(role, part, data, ask=True)

    def _encode(self, side: _Side, value: Record) -> bytes:
        header = side.header or self._header(side)
        try:
            return side.write(value, header)
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError, struct.error) as error:
            raise BadRecord(f"{side.subject}: {error}") from error

    def _header(self, side: _Side) -> bytes:
        with self._lock:
            if side.header:
                return side.header
            if self._settings.auto_register:
                level = compatibility(side.part, side.topic.value_format)
                schema_id = self._registry.register(side.subject, side.text, side.type, level)
            else:
                schema_id = self._registry.lookup(side.subject, side.text, side.type)
            self._decoders[side.topic.role, side.part, schema_id] = make_decode(side.type, side.text, side)
            side.header = HEADER.pack(MAGIC, schema_id)
            return side.header

    def _decode(self, role: str, part: str, data: bytes, ask: bool) -> Record:
        decode = self._decoder_of(role, part, data, ask)
        return decode(data if data[0] == MAGIC else data[GUID_SIZE - HEADER.size :])  # it skips a short one

    def _decoder_of(self, role: str, part: str, data: bytes, ask: bool) -> Decode:
        schema_id, _ = schema_id_of(data)
        if len(data) > RECORD_LIMIT:
            raise BadRecord(f"{len(data)} bytes; {RECORD_LIMIT} at most")
        if isinstance(schema_id, int) and schema_id > LAST_ID:
            raise BadRecord(f"schema id {schema_id}; registries give none beyond {LAST_ID}")
        decoder = self._decoders.get((role, part, schema_id))
        if decoder is None:
            schema_type, text = self._lookups.schema(schema_id, ask)
            decoder = make_decode(schema_type, text, self._sides[role, part])
            self._decoders[role, part, schema_id] = decoder
        return decoder


def text_key(data: bytes) -> str:
    """A key that is plain text: a race id, or race id and driver code. Raises BadRecord."""
    if len(data) > KEY_LIMIT:
        raise BadRecord(f"a key of {len(data)} bytes")
    try:
        key = data.decode()
    except UnicodeDecodeError as error:
        raise BadRecord(f"a key that is not UTF-8: {error.reason}") from error
    if "\0" in key:
        raise BadRecord("a key with a NUL")
    return key
