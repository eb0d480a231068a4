"""Drills end by themselves and leave nothing behind: the race has the result that its seed gives."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from races.analytics.engine import RaceAnalytics
from races.lab.components import Components
from races.models import Race
from races.report.downloads import whole
from races.sim import Race as Simulation
from races.sim import RaceSettings, load_season
from races.streams.connection import Connection
from races.streams.topics import DEFAULT_NAMES
from races.worker.drills import DRILL_S, DRILLS, Drills
from races.worker.records import entry_list, tick_records
from tests.fakes.lab import ended, short_race
from tests.fakes.recorded import Recorded
from tests.fakes.waiting import wait_for

CLOCKS = ("timestamp", "start_ms", "end_ms")  # what follows from when a race began


def test_a_drill_ends_by_itself() -> None:
    now = 100.0
    drills = Drills(lambda: now)
    assert drills.current() is None
    drills.begin("pause")
    assert drills.on("pause") and not drills.on("twice")
    now += DRILL_S - 1
    drill, left = drills.current() or (None, 0)
    assert (drill, left) == (DRILLS["pause"], 1.0)
    now += 1
    assert not drills.on("pause")
    assert drills.current() is None


def test_one_drill_replaces_another() -> None:
    drills = Drills(lambda: 0.0)
    drills.begin("hold")
    drills.begin("twice")
    assert drills.on("twice") and not drills.on("hold")
    drills.end()
    assert not drills.on("twice")
    with pytest.raises(KeyError):
        drills.begin("unplug the broker")


def tables(race: Race) -> dict[str, Any]:
    """A race's rows without ids and instants."""
    found = whole(race)
    del found["race"]
    return {
        name: [{key: value for key, value in row.items() if key not in CLOCKS} for row in rows]
        for name, rows in found.items()
    }


@pytest.mark.full
@pytest.mark.django_db(transaction=True)
def test_a_race_with_drills_has_the_same_result(kafka: Connection, components: Components) -> None:
    """All three drills in one race, against the history that the same seed leaves without a Kafka."""
    drills, analytics = components.drills, components.analytics
    assert analytics is not None
    race = short_race(laps=9, seed=4)
    running = components.worker.scheduler.races

    def reached(tick: int) -> bool:
        return race.pk in running and running[race.pk].next_tick > tick

    def ahead(ticks: int) -> None:
        start = running[race.pk].next_tick
        wait_for(lambda: reached(start + ticks), f"{ticks} more ticks")

    wait_for(lambda: reached(33), "the lights are out")
    drills.begin("pause", 60)
    wait_for(lambda: analytics.lag(components.ends()).records > 100, "the analytics fall behind")
    drills.end()
    wait_for(lambda: analytics.lag(components.ends()).records == 0, "the analytics catch up")
    for kind in ("hold", "twice"):
        drills.begin(kind, 60)
        ahead(8)
        drills.end()
    ended(race)
    found, wanted = tables(race), tables(Recorded(anomaly=race.anomaly_detection, laps=9, seed=4).race)
    assert [(line["tick"], line["message"]) for line in found.pop("commentary")] == lines_of(race)
    assert found == {name: rows for name, rows in wanted.items() if name != "commentary"}
    assert race.missing_ticks == 0


def lines_of(race: Race) -> list[tuple[int, str]]:
    """The commentary that this race must have: how a line is worded follows from the race's id."""
    analytics = RaceAnalytics(str(race.pk), anomaly=race.anomaly_detection)
    field = entry_list(str(race.pk), race.laps, load_season())
    simulation = Simulation(RaceSettings(race.circuit, race.laps, race.pace, race.seed))
    lines = []
    while not simulation.over:
        tick = simulation.advance()
        for record in tick_records(field, tick, race.event_ms(tick.tick), race.anomaly_detection):
            for derived in analytics.feed(record.role, record.value, record.key):
                if derived.role == "commentary":
                    lines.append((race.tick_at(derived.value["timestamp"]), derived.value["message"]))
    return sorted(lines)


@pytest.mark.django_db(transaction=True)
def test_drills_are_for_a_lab_of_ones_own(kafka: Connection, components: Components) -> None:
    race = short_race()
    address = f"/races/{race.pk}/stream/drill/"
    stranger = Client(REMOTE_ADDR="192.0.2.7")
    assert stranger.post(address, {"kind": "pause"}).status_code == 403
    assert components.drills.current() is None
    assert "Pull the plug" not in stranger.get(f"/races/{race.pk}/stream/").content.decode()
    here = Client()
    assert "Pull the plug" in here.get(f"/races/{race.pk}/stream/").content.decode()
    assert here.post(address, {"kind": "hold"}).status_code == 303
    assert components.drills.on("hold")
    part = stranger.get(f"/races/{race.pk}/stream/now/").content.decode()
    assert DRILLS["hold"].title in part
    assert here.post(address, {"kind": ""}).status_code == 303
    assert components.drills.current() is None
    assert here.get(address).status_code == 405


def test_the_words_name_the_topic_that_is_held() -> None:
    assert "average speeds" in DRILLS["hold"].title
    assert "avg-speed" in DEFAULT_NAMES["avg_speed"]
