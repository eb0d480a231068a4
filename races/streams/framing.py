"""Where a record names its schema: in the bytes in front, or in a header, as Confluent's serializers do on request."""

from __future__ import annotations

import struct
import uuid

from confluent_kafka import Message

from races.streams.errors import BadRecord
from races.streams.registry.client import SchemaId

MAGIC, GUID_MAGIC = 0, 1
HEADER = struct.Struct(">bI")
GUID_SIZE = 17  # a one and the GUID's 16 bytes
KEY_HEADER, VALUE_HEADER = "__key_schema_id", "__value_schema_id"


def schema_id_of(data: bytes) -> tuple[SchemaId, int]:
    """Returns the id in front, and how many bytes it takes. Raises BadRecord where there is none."""
    if len(data) >= HEADER.size and data[0] == MAGIC:
        return int.from_bytes(data[1 : HEADER.size], "big"), HEADER.size
    if len(data) >= GUID_SIZE and data[0] == GUID_MAGIC:
        return str(uuid.UUID(bytes=data[1:GUID_SIZE])), GUID_SIZE
    raise BadRecord(f"no schema id in front of {len(data)} bytes")


def key_and_value(message: Message) -> tuple[bytes | None, bytes | None]:
    """Returns both with their schemas' ids in front, also where the ids came in headers of the record."""
    key, value = message.key(), message.value()
    headers = message.headers()
    if not headers:
        return key, value
    named = dict(headers)  # of a name that is there twice, the last one
    return _framed(named.get(KEY_HEADER), key), _framed(named.get(VALUE_HEADER), value)


def _framed(schema_id: str | bytes | None, data: bytes | None) -> bytes | None:
    if isinstance(schema_id, bytes) and len(schema_id) == GUID_SIZE and data is not None:
        return schema_id + data
    return data
