"""What pages and the interface take from the history while a race is on."""

from __future__ import annotations

import pytest
from django.test import Client

from races.live.service import LiveService
from races.models import Race
from races.recorder.reader import LINES, last_frame, live_board
from races.views import api
from tests.fakes.recorded import Recorded

pytestmark = pytest.mark.django_db


def test_overtakes_do_not_crowd_the_notes_of_race_control_out() -> None:
    race = Recorded(circuit="monza", laps=6, pace=60).race
    notes = race.control.exclude(type="overtake")
    newest = race.control.order_by("-tick", "-id")[:LINES]
    assert any(row.type == "overtake" for row in newest), "else this shows nothing"
    board = live_board(race)
    assert board is not None and board.frame is not None
    board.apply("commentary", {"id": "z", "message": "", "timestamp": 1, "type": "info", "race_id": None})
    assert len(board.frame["control"]) == min(LINES, notes.count())


def test_api_has_averages_of_an_unwatched_race(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    race = Recorded(laps=2).race
    Race.objects.filter(pk=race.pk).update(status="running")
    frame = last_frame(race)
    assert frame is not None
    # the positions topic knows no averages
    records = [{**car, "average_speed_kmh": None, "tick": frame["tick"]} for car in frame["cars"]]
    live = LiveService()
    monkeypatch.setattr(live, "newest", lambda race_id: records)
    monkeypatch.setattr(api, "service", lambda: live)
    board = client.get(f"/api/races/{race.pk}/").json()["leaderboard"]
    assert [car["average_speed_kmh"] for car in board] == [car["average_speed_kmh"] for car in frame["cars"]]
    assert all(car["average_speed_kmh"] for car in board)


def test_a_board_from_history_knows_the_own_race() -> None:
    """A page that is opened late tells the same story as one that was open from the start."""
    recorded = Recorded(anomaly=True, laps=6, seed=3)
    board = live_board(recorded.race)
    assert board is not None
    frame = board.current()
    assert frame is not None
    assert len(recorded.frames[-1]["own"]["notes"]) > 1
    assert frame["own"] == recorded.frames[-1]["own"]
