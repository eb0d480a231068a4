"""The replay: what every page showed at a tick, and nothing of what came later."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client

from races.board.frames import Frame
from races.board.logs import NOTES_KEPT
from races.board.race_info import RaceInfo
from races.live.rendering.formatting import lap_time
from races.live.rendering.screen import screen_of
from races.models import BoardChunk, Race
from races.report import replay
from tests.fakes.recorded import Recorded
from tests.live.dom import Page

pytestmark = pytest.mark.django_db


def parts(screen: Any) -> dict[str, str]:
    """The fragments without the words on where they come from: a replay comes from the history."""
    return {name: str(part) for name, part in screen.fragments().items() if not name.startswith("footer_")}


def url(race: Race, rest: str = "") -> str:
    return f"/races/{race.pk}/replay/{rest}"


def with_what_came_after(frame: Frame, following: Frame) -> Frame:
    """A tick's own words and readings follow its positions: the live page had them a moment later."""
    now = frame["timestamp"]
    full = frame.copy()
    said = [note for note in following["commentary"] if note["at"] <= now and note not in frame["commentary"]]
    full["commentary"] = [*said, *frame["commentary"]][:NOTES_KEPT]
    full["anomalies"], full["traces"] = following["anomalies"], following["traces"]
    told = [note for note in following["own"]["notes"] if note["at"] <= now]
    full["own"] = {**frame["own"], "notes": told}
    return full


@pytest.mark.parametrize("anomaly", [False, True])
def test_a_replay_shows_what_was_live(anomaly: bool) -> None:
    recorded = Recorded(anomaly=anomaly, laps=4, seed=3)
    info = RaceInfo.from_json(recorded.race.frozen)
    assert len(recorded.frames) > 40
    for frame, following in [*pairwise(recorded.frames)][:-1:3]:
        shown = parts(replay.screen_at(recorded.race, frame["tick"]))
        live = parts(screen_of(info, with_what_came_after(frame, following), anomaly_on=anomaly))
        if anomaly:  # how bad an alarm gets is left open until it is over
            shown["charts"], live["charts"] = (
                without_severity(shown["charts"]),
                without_severity(live["charts"]),
            )
        assert shown == live


def test_a_replay_says_it_is_recorded() -> None:
    recorded = Recorded(laps=1)
    assert replay.snapshot(recorded.race, 30).count(">as recorded</b>") == 6


def without_severity(charts: str) -> str:
    return re.sub(", (critical|warning|info)", "", charts)


def test_playing_ends_where_a_seek_ends() -> None:
    race = Recorded(anomaly=True).race
    for start, step, count in ((0, 1, 12), (17, 2, 9), (30, 8, 3), (5, 3, 50)):
        page = Page(replay.snapshot(race, start))
        played = replay.messages(race, start, step, count)
        for _, message in played:
            page.apply(message)
        assert page.html() == Page(replay.snapshot(race, played[-1][0])).html()


def test_playing_ends_at_the_last_tick() -> None:
    race = Recorded().race
    last = race.recorded_tick
    assert [tick for tick, _ in replay.messages(race, last - 5, 4, 10)] == [last - 1, last]
    assert replay.messages(race, last, 1, 10) == []


def test_nothing_gives_away_what_comes_later(client: Client) -> None:
    """Only what is on the page of the same race at the last tick may name a result."""
    recorded = Recorded(anomaly=True, laps=4, seed=3)
    race, half = recorded.race, recorded.frames[len(recorded.frames) // 2]
    text = client.get(url(race), {"tick": half["tick"]}).content.decode()
    text += client.get(url(race, f"{half['tick']}/")).content.decode()
    known = {car[name] for car in half["cars"] for name in ("last_lap_s", "best_lap_s")}
    later = {row.best_lap_s for row in race.results.all() if row.best_lap_s is not None} - known
    assert later
    for seconds in later:
        assert lap_time(seconds) not in text
    now = half["timestamp"]
    for note in race.commentary.filter(timestamp__gt=now):
        assert note.message not in text
    for message in race.control.filter(timestamp__gt=now).values_list("message", flat=True):
        assert message not in text
    assert "wins" not in text
    assert 'id="result"></div>' in text


def test_a_stop_shows_at_the_last_tick_only() -> None:
    race = Recorded(stop=40).race
    assert race.status == "stopped"
    assert "stopped" not in replay.snapshot(race, race.recorded_tick - 1)
    text = replay.snapshot(race, race.recorded_tick)
    assert "Race stopped" in text
    assert "As it stood at the red flag" in text
    assert "finishes" not in text.partition('id="result"')[2]


def test_missing_ticks_stand_still() -> None:
    race = Recorded(miss=range(20, 24)).race
    assert race.missing_ticks == 4
    assert replay.snapshot(race, 22) == replay.snapshot(race, 19)
    assert [tick for tick, _ in replay.messages(race, 19, 1, 5)] == [20, 21, 22, 23, 24]


def test_a_seek_decodes_one_chunk(django_assert_max_num_queries: Any) -> None:
    race = Recorded().race
    replay.stored_frames.cache_clear()
    replay.snapshot(race, 30)
    assert replay.stored_frames.cache_info().misses == 1
    with django_assert_max_num_queries(6):
        replay.snapshot(race, 31)


def test_the_replay_works_without_script(client: Client) -> None:
    race = Recorded().race
    text = client.get(url(race), {"tick": "33"}).content.decode()
    assert re.search(r'name="tick" min="0" max="\d+" value="33"', text)
    assert " style=" not in text
    assert "<style" not in text
    assert all("src=" in tag.split(">", 1)[0] for tag in text.split("<script")[1:])
    assert "ws-connect" not in text


@pytest.mark.parametrize("odd", ["-1", "99999999999999", "x", "", "³"])
def test_an_odd_tick_is_the_nearest_there_is(client: Client, odd: str) -> None:
    race = Recorded(laps=1).race
    assert client.get(url(race), {"tick": odd}).status_code == 200
    assert client.get(url(race, "5/on/"), {"step": odd, "count": odd}).status_code == 200
    assert client.get(url(race, "999999/")).status_code == 200


def test_messages_come_as_json(client: Client) -> None:
    race = Recorded(laps=1).race
    answer = client.get(url(race, "3/on/"), {"step": 2, "count": 4})
    assert [tick for tick, _ in json.loads(answer.content)["messages"]] == [5, 7, 9, 11]
    assert answer["Cache-Control"] == "private, max-age=60"


def test_a_race_that_goes_on_has_no_replay(client: Client) -> None:
    race = Recorded(laps=1).race
    Race.objects.update(status="running")
    assert client.get(url(race))["Location"] == race.get_absolute_url()
    assert client.get(url(race, "3/")).status_code == 404
    assert client.get(url(race, "3/on/")).status_code == 404


def test_no_frames_lead_to_the_report(client: Client) -> None:
    race = Recorded(laps=1).race
    BoardChunk.objects.all().delete()
    Race.objects.update(recorded_tick=-1, status="failed")
    assert client.get(url(race))["Location"] == race.get_absolute_url()
