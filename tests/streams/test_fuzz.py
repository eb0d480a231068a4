"""Hostile bytes: whatever they are, decoding ends at once, with a record or with BadRecord."""

from __future__ import annotations

import io
import json
import time
from contextlib import suppress
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from races.streams.errors import BadRecord
from races.streams.registry.service import Registry
from races.streams.topics import TOPICS
from tests.fakes.fuzzing import FEW, MANY, Counted, sweep
from tests.fakes.hostile_bytes import CODEC, JSON, SIDES, TYPES, foreign, framed
from tests.streams.records import KEYS, VALUES

SLOWEST_S = 2.0  # far above what any input takes, far below what an endless one would
WHAT = "hostile Avro and JSON records"
Side = tuple[str, str]  # role, and value or key


def check(side: Side, data: bytes) -> int:
    role, part = side
    start = time.perf_counter()
    with suppress(BadRecord):
        record = CODEC.decode(role, data) if part == "value" else CODEC.decode_key(role, data)
        # what is read can be written into a page, a database and a calculation
        json.dumps(record, allow_nan=False, ensure_ascii=False).encode()
    assert time.perf_counter() - start < SLOWEST_S
    return int(data != valid(side))


def valid(side: Side) -> bytes:
    role, part = side
    return (
        CODEC.encode(role, VALUES[role]) if part == "value" else CODEC.encode_key(role, KEYS[role])
    ) or b"x"


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Side, bytes]:
    """A valid record with bytes replaced, put in or taken out."""
    side = draw(st.sampled_from(SIDES))
    data = bytearray(valid(side))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(0, 4))
        data[at : at + length] = draw(st.binary(max_size=6))
    return side, bytes(data)


@st.composite
def strange_json(draw: st.DrawFn) -> bytes:
    fields: dict[str, Any] = dict(VALUES["commentary"])
    for name in draw(st.lists(st.sampled_from(list(fields)), max_size=3)):
        fields[name] = draw(JSON)
    text = json.dumps(draw(st.sampled_from([fields, draw(JSON)])))
    return CODEC.encode("commentary", VALUES["commentary"])[:5] + text.encode()


CASES: dict[str, st.SearchStrategy[tuple[Side, bytes]]] = {
    "bytes": st.tuples(st.sampled_from(SIDES), st.binary(max_size=400) | framed()),
    "damaged": damaged(),
    "foreign": st.tuples(st.just(("positions", "value")), foreign()),
    "json": st.tuples(st.just(("commentary", "value")), strange_json()),
}


@pytest.mark.parametrize("cases", CASES)
def test_hostile_bytes_end_as_a_record_or_a_bad_record(counted: Counted, cases: str) -> None:
    sweep(counted, WHAT, FEW // len(CASES), CASES[cases], lambda case: check(*case), 0.7)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("cases", CASES)
def test_many_hostile_bytes_end_as_a_record_or_a_bad_record(counted: Counted, cases: str) -> None:
    sweep(counted, WHAT, MANY // len(CASES), CASES[cases], lambda case: check(*case), 0.7)


@pytest.mark.parametrize(
    "path", ["/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions/1", "/config/s"]
)
def test_hostile_requests_to_the_registry_get_an_answer(path: str) -> None:
    registry = Registry()
    registry.register("s", TOPICS["positions"].value_schema, "AVRO")

    @settings(max_examples=60)
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", ""]),
        tail=st.text(max_size=20),
        body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()) | hostile_schemas(),
    )
    def run(method: str, tail: str, body: bytes) -> None:
        for address in (path, path + tail):
            status, reply = registry.handle(method, address, {}, body)
            assert 200 <= status < 500
            json.dumps(reply)

    run()


def hostile_schemas() -> st.SearchStrategy[bytes]:
    schemas = TYPES | JSON | st.just("[" * 5000) | st.text()
    kinds = st.sampled_from(["AVRO", "JSON", "", None, 5])
    return st.tuples(schemas, kinds).map(
        lambda pair: json.dumps({"schema": json.dumps(pair[0]), "schemaType": pair[1]}).encode()
    )


def test_fastavro_itself_reads_what_the_fuzzer_starts_from() -> None:
    """So that the damaged records are damage to something sound."""
    data = valid(("positions", "value"))
    schema = fastavro.parse_schema(json.loads(TOPICS["positions"].value_schema))
    assert fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None) == VALUES["positions"]
