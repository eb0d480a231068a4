"""What must not end or stop the recorder: races deleted while it follows them, rows that no database takes,
an end of the race that it slept through."""

from __future__ import annotations

import pytest

from races.lab.components import Components, make_components
from races.models import Lap, Race
from races.models.leases import RecorderLease, break_recorder_lease
from races.recorder import writer
from races.recorder.writer import clamped
from races.streams.connection import Connection
from tests.fakes.lab import ended, recording, running, short_race
from tests.fakes.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_race_deleted_after_its_flag(kafka: Connection, components: Components) -> None:
    gone = ended(short_race())
    Race.objects.filter(pk=gone.pk).delete()
    assert ended(short_race(seed=2)).status == Race.Status.FINISHED


def test_race_deleted_while_it_runs(kafka: Connection, components: Components) -> None:
    gone = short_race(laps=9, pace=12)
    wait_for(lambda: Race.objects.get(pk=gone.pk).recorded_tick > 5, "it is recorded")
    Race.objects.filter(pk=gone.pk).delete()
    assert ended(short_race(seed=2)).status == Race.Status.FINISHED


def test_unrecorded_end_is_found_at_the_start(kafka: Connection) -> None:
    """Killed between the last tick and the classification: no record comes to remind anybody."""
    with running(make_components(kafka)):
        race = ended(short_race())
    before = list(race.results.values_list("driver_code", "position", "gap_s"))
    Race.objects.filter(pk=race.pk).update(status=Race.Status.RUNNING)
    race.results.all().delete()
    with recording(kafka):
        assert ended(race).status == Race.Status.FINISHED
    assert list(race.results.values_list("driver_code", "position", "gap_s")) == before
    assert not race.results.filter(average_speed_kmh=None).exists()


def test_a_recorder_whose_lease_is_gone_writes_nothing() -> None:
    mine, other = RecorderLease(lambda: 0.0), RecorderLease(lambda: 0.0)
    assert mine.hold()
    break_recorder_lease()
    assert other.hold()
    assert not writer.flush([], writer.PendingRows(), "cluster", {"positions": {0: 7}}, 0.0, mine.confirm)
    assert not mine.fresh()
    assert writer.saved_offsets() == (None, {})
    assert writer.flush([], writer.PendingRows(), "cluster", {"positions": {0: 7}}, 0.0, other.confirm)
    assert writer.saved_offsets() == ("cluster", {"positions": {0: 7}})


def test_rows_are_cut_to_what_every_database_takes() -> None:
    row = Lap(driver_code="LONGNAME", lap=-3, position=10**9, tick=2**40, tyre="abcdefg", time_s=1.5)
    clamped(row)
    assert (row.driver_code, row.lap, row.position, row.tick) == ("LON", 0, 32767, 2**31 - 1)
    assert (row.tyre, row.time_s) == ("abcdef", 1.5)
