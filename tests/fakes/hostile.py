"""Records that no lab writes, made of true ones: of what was told already, of the tick that comes, and of nothing."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any

from hypothesis import strategies as st

from races.streams.consumer import Message
from races.streams.errors import BadRecord
from tests.fakes.fuzzing import MARKUP
from tests.fakes.hostile_bytes import CODEC, JSON, foreign, framed
from tests.fakes.topics import META, RACE, STARTED, TICK_MS, TICKS, Record, Said, message, packed

LAST = len(TICKS) - 1
CODES = {car.code for car in META.cars}
INT, LONG = 2**31 - 1, 2**63 - 1

TEXTS = st.sampled_from([*MARKUP, "", "\0", "x" * 5000, "over", "finished", "red"]) | st.text(max_size=30)
NUMBERS = st.sampled_from([nan, inf, -inf, 1e308, -1e308, 5e-324, -999_999.0, 999_999.0, -1.0, 0.0])
WHOLES = st.sampled_from([-LONG - 1, -INT - 1, -2, -1, 0, 1, 22, 999_999, INT, LONG]) | st.integers(
    -9, LAST + 9
)
OTHER_RACE = st.uuids().map(str) | TEXTS


def odd(value: Any) -> st.SearchStrategy[Any]:
    """Something of the same type that no lab would write there."""
    if isinstance(value, bool):
        return st.just(not value)
    if isinstance(value, str):
        return TEXTS
    return WHOLES if isinstance(value, int) else NUMBERS | st.none()


def twisted(draw: st.DrawFn, fields: Record, least: int = 1) -> Record:
    names = draw(st.lists(st.sampled_from(sorted(fields)), min_size=least, max_size=4, unique=True))
    return fields | {name: draw(odd(fields[name])) for name in names}


def spelled(role: str, value: Record) -> bytes:
    """Encodes records that our own encoder would not write, too."""
    try:
        return CODEC.encode(role, value)
    except BadRecord:
        return CODEC.encode(role, example(role).value)[:5] + json.dumps(value).encode()


def example(role: str) -> Said:
    return next(said for tick in TICKS for said in tick if said.role == role)


def put(said: Said) -> Message:
    key = said.key if not isinstance(said.key, dict) else CODEC.encode_key(said.role, said.key)
    return packed(said.role, key.encode() if isinstance(key, str) else key, spelled(said.role, said.value))


def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(found)))
        found[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=5))
    return bytes(found)


def damaged_bytes(draw: st.DrawFn, said: Said) -> Message:
    true = message(said)
    if true.key and draw(st.booleans()):
        return true._replace(key=damaged(draw, true.key))
    return true._replace(value=damaged(draw, true.value or b""))


def twisted_fields(draw: st.DrawFn, said: Said) -> Message:
    if isinstance(said.key, dict) and draw(st.booleans()):
        return put(Said(said.role, twisted(draw, said.key), said.value))
    return put(Said(said.role, said.key, twisted(draw, said.value)))


def other_race(draw: st.DrawFn, said: Said) -> Message:
    """By its value, its key or both."""
    told, keyed = draw(OTHER_RACE), draw(OTHER_RACE)
    value = said.value | ({"race_id": told} if "race_id" in said.value else {})
    key = said.key | {"race_id": keyed} if isinstance(said.key, dict) and "race_id" in said.key else said.key
    return put(Said(said.role, draw(st.sampled_from([key, keyed if isinstance(key, str) else key])), value))


def no_record(draw: st.DrawFn, said: Said) -> Message:
    true = message(said)
    value = draw(st.none() | st.binary(max_size=300) | framed() | foreign())
    return true._replace(key=draw(st.sampled_from([true.key, None, b"\xff", value])), value=value)


def strange_json(draw: st.DrawFn, said: Said) -> Message:
    true = message(example("commentary"))
    fields = example("commentary").value
    names = draw(st.lists(st.sampled_from(sorted(fields)), max_size=3))
    told = draw(st.sampled_from([{**fields, **{name: draw(JSON) for name in names}}, draw(JSON)]))
    return true._replace(value=(true.value or b"")[:5] + json.dumps(told).encode())


AGAIN = (damaged_bytes, twisted_fields, other_race, no_record, strange_json)


def lie(draw: st.DrawFn, at: int) -> Message:
    """Records of the tick that comes, with content that is not possible."""
    true = draw(st.sampled_from([said for said in TICKS[at] if said.role == "positions"])).value
    later = draw(st.integers(LAST + 1, 2 * LAST))
    impossible: Record = draw(
        st.sampled_from(
            [
                {"tick": later, "timestamp": STARTED + later * TICK_MS},
                {"timestamp": true["timestamp"] + draw(st.integers(1, TICK_MS - 1))},
                {"driver_code": draw(TEXTS.filter(lambda text: text and text not in CODES))},
                {"field_size": draw(st.integers(-INT, INT).filter(lambda size: size != len(CODES)))},
                {"race_id": draw(st.uuids().map(str))},
                {"position": draw(st.sampled_from([-1, 0, len(CODES) + 1, INT]))},
            ]
        )
    )
    free = {name: value for name, value in true.items() if name not in ("tick", "timestamp", "driver_code")}
    return put(Said("positions", str(RACE.pk), true | twisted(draw, free, least=0) | impossible))


@st.composite
def impossible(draw: st.DrawFn) -> tuple[int, Message]:
    at = draw(st.integers(1, LAST))
    if draw(st.integers(0, 3)) == 0:
        return at, lie(draw, at)
    before = TICKS[draw(st.integers(0, at - 1))]
    role = draw(st.sampled_from(sorted({said.role for said in before})))
    said = draw(st.sampled_from([said for said in before if said.role == role]))
    return at, draw(st.sampled_from(AGAIN))(draw, said)


FORGED = ("driver_name", "team_name", "phase", "flag", "tyre", "stints", "status", "speed", "race_time_s", "gap_s",
          "interval_s", "last_lap_s", "best_lap_s", "sector_1_s", "sector_2_s", "sector_3_s", "lap_fraction", "laps",
          "tyre_age", "stops", "lights", "yellow_sector", "laps_down", "driver_number")  # fmt: skip


@st.composite
def forged(draw: st.DrawFn) -> tuple[int, Message]:
    """Records of the tick that comes, by a car that drives, with a line or a reading of their own. Nothing
    but their content is odd."""
    at = draw(st.integers(1, LAST - 1))
    role = draw(
        st.sampled_from(["positions", "race_control", "commentary", "car_metrics_anomalies", "avg_speed"])
    )
    of_tick = [said for said in TICKS[at] if said.role == role] or [example(role)]
    said = draw(
        st.sampled_from(of_tick) | st.just(of_tick[-1])
    )  # the last one's place: its tick is whole without it
    fields = {
        name: said.value[name]
        for name in (FORGED if role == "positions" else said.value)
        if name in said.value
    }
    kept = {name: said.value[name] for name in ("race_id", "timestamp", "tick") if name in said.value}
    names: Record = {"race_control": {"event": 500 + at}, "commentary": {"id": draw(st.uuids().map(str))}}
    value = said.value | twisted(draw, fields) | kept | names.get(role, {})
    key = said.key
    if isinstance(key, dict) and "ts" in key:
        key = key | {"ts": key["ts"] + draw(st.integers(1, 99))}
    return at, put(Said(role, key, value))
