"""Bytes that may stand on a topic and are no record of ours: damaged, foreign, random."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.errors import RegistryRefused
from races.streams.framing import HEADER
from races.streams.registry.service import Registry
from races.streams.topics import TOPICS

SIDES = [(role, "value") for role in TOPICS] + [(role, "key") for role in TOPICS]


REGISTRY = Registry()


CODEC = Codec(embedded_settings("unused:9092"), REGISTRY)


CODEC.prepare()


LAST_ID = len(SIDES)


@st.composite
def framed(draw: st.DrawFn) -> bytes:
    return HEADER.pack(0, draw(st.integers(1, LAST_ID))) + draw(st.binary(max_size=300))


ATOMS = st.sampled_from(["null", "boolean", "int", "long", "float", "double", "bytes", "string"])


TYPES = st.recursive(
    ATOMS,
    lambda inner: (
        inner.map(lambda kind: {"type": "array", "items": kind})
        | inner.map(lambda kind: {"type": "map", "values": kind})
        | inner.map(lambda kind: ["null", kind] if kind != "null" and not isinstance(kind, list) else "null")
        | inner.map(lambda kind: {"type": kind, "logicalType": "timestamp-millis"})
    ),
    max_leaves=6,
)


NAMES = st.sampled_from(
    ["driver_name", "speed", "position", "timestamp", "race_id", "team_name", "gap_s", "x", "y"]
)


@st.composite
def foreign(draw: st.DrawFn) -> bytes:
    """Bytes under a writer's schema that nobody expected."""
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": name, "type": draw(TYPES)} for name in names],
    }
    try:
        schema_id = REGISTRY.register("foreign", json.dumps(schema), "AVRO", "NONE")
    except RegistryRefused:
        schema_id = 1
    return HEADER.pack(0, schema_id) + draw(st.binary(max_size=200))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
