"""Hostile records among a whole race's true ones, as bytes, through feed and recorder to the pages.

Two kinds. What cannot be of this race, or comes again, changes nothing at all. What only its content betrays (who
may write to a topic can tell anything of the tick that comes) is shown as text, and is gone with the next tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import strategies as st

from races.board.frames import Frame
from races.board.logs import NOTES_KEPT, note_order
from races.board.storage import unpack_frames
from races.models import Race
from races.streams.consumer import Message
from tests.fakes.fuzzing import FEW, MANY, UNESCAPED, Counted, sweep
from tests.fakes.hostile import LAST, example, forged, impossible, put
from tests.fakes.topics import RACE, TICKS, TOLD, Said, Shown, record, watch

pytestmark = pytest.mark.django_db
WHAT = "hostile Avro and JSON records on a board and in a history"
AT_ONCE = 40
Case = list[tuple[int, Message]]  # each before the true records of its tick


def with_others(case: Case) -> list[list[Message]]:
    hostile: dict[int, list[Message]] = {}
    for at, one in case:
        hostile.setdefault(at, []).append(one)
    return [[*hostile.get(number, ()), *told] for number, told in enumerate(TOLD)]


def bare(frame: Frame) -> dict[str, Any]:
    """Without logs and the own story, in which anybody's line may stand, and without averages, set between ticks."""
    logs = ("commentary", "control", "anomalies", "traces", "own")
    cars = [{**car, "average_speed_kmh": None} for car in frame["cars"]]
    return {name: value for name, value in frame.items() if name not in logs} | {"cars": cars}


@dataclass(frozen=True, slots=True)
class Outcome:
    shown: Shown
    frames: list[Frame]
    laps: list[Any]
    results: list[Any]
    words: set[Any]
    missing: int
    pages: list[str]


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def outcome(case: Case) -> Outcome:
    told, where = with_others(case), f"/races/{RACE.pk}/"
    with undone():
        RACE.save(force_insert=True)
        shown = watch(told)
        record(told)
        race = Race.objects.get(pk=RACE.pk)
        assert race.status == Race.Status.FINISHED
        answers = [
            Client().get(path)
            for path in (where, f"{where}replay/{LAST}/", f"{where}replay/?tick={LAST // 2}")
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        return Outcome(
            shown,
            [
                frame
                for chunk in race.chunks.order_by("first_tick")
                for frame in unpack_frames(bytes(chunk.data))
            ],
            list(
                race.lap_set.order_by("driver_code", "lap").values_list(
                    "driver_code", "lap", "time_s", "position"
                )
            ),
            list(
                race.results.order_by("position").values_list(
                    "driver_code", "gap_s", "average_speed_kmh", "status"
                )
            ),
            {
                *race.control.values_list("tick", "event", "message"),
                *race.commentary.values_list("identity", "message"),
            },
            race.missing_ticks,
            [answer.content.decode() for answer in answers],
        )


@pytest.fixture(scope="module")
def clean(django_db_setup: None, django_db_blocker: Any) -> Outcome:
    with django_db_blocker.unblock():
        return outcome([])


def check_escaped(found: Outcome) -> None:
    for page in (*found.shown.messages, found.shown.snapshot, *found.pages):
        assert not UNESCAPED.search(page)


def check_logs(frame: Frame) -> None:
    for notes in (frame["commentary"], frame["control"]):
        assert len(notes) <= NOTES_KEPT
        assert notes == sorted(notes, key=note_order, reverse=True)
        assert len({note["id"] for note in notes}) == len(notes)


def check_unchanged(found: Outcome, clean: Outcome) -> None:
    check_escaped(found)
    assert [*found.shown.frames] == [*clean.shown.frames]
    for tick, frame in found.shown.frames.items():
        assert bare(frame) == bare(clean.shown.frames[tick])
        check_logs(frame)
    assert [bare(frame) for frame in found.frames] == [bare(frame) for frame in clean.frames]
    assert (found.laps, found.results, found.missing) == (clean.laps, clean.results, clean.missing)
    assert found.words >= clean.words


def check_healed(found: Outcome, clean: Outcome) -> None:
    check_escaped(found)
    assert [*found.shown.frames] == [*clean.shown.frames]
    assert bare(found.shown.frames[LAST]) == bare(clean.shown.frames[LAST])
    assert bare(found.frames[-1]) == bare(clean.frames[-1])
    assert found.results == clean.results
    assert found.words >= clean.words


def fuzz(counted: Counted, at_least: int, clean: Outcome) -> None:
    """Half and half."""
    for strategy, check in ((impossible(), check_unchanged), (forged(), check_healed)):
        cases = st.lists(strategy, min_size=AT_ONCE, max_size=AT_ONCE)

        def one(case: Case, check: Any = check) -> int:
            hostile = [(at, each) for at, each in case if each not in TOLD[at]]
            check(outcome(hostile), clean)
            return len(hostile)

        sweep(counted, WHAT, at_least // 2, cases, one, AT_ONCE)


def test_hostile_records_change_nothing(counted: Counted, clean: Outcome) -> None:
    fuzz(counted, FEW, clean)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_many_hostile_records_change_nothing(counted: Counted, clean: Outcome) -> None:
    fuzz(counted, MANY, clean)


def test_repeated_line_stays_the_first(clean: Outcome) -> None:
    said = example("commentary")
    check_unchanged(
        outcome([(1, put(Said(said.role, None, said.value | {"message": "Other words."})))]), clean
    )


def test_a_reading_without_a_temperature_is_none(clean: Outcome) -> None:
    said = example("car_metrics_anomalies")
    assert isinstance(said.key, dict)
    key = said.key | {"ts": said.key["ts"] + 1}
    check_unchanged(
        outcome([(1, put(Said(said.role, key, said.value | {"engine_temperature": None})))]), clean
    )


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 5.0])
def test_a_sector_that_nobody_can_drive_is_nobodys_best(clean: Outcome, seconds: float) -> None:
    said = [said for said in TICKS[LAST // 2] if said.role == "positions"][-1]
    lie = put(Said(said.role, said.key, said.value | {"sector_3_s": seconds, "best_lap_s": 3 * seconds}))
    check_unchanged(outcome([(LAST // 2, lie)]), clean)
