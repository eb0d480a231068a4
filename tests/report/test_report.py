"""The list of races and each race's report: what a visitor sees when it is over."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from races.live.rendering.formatting import gap, ordinal
from races.middleware.visitors import COOKIE, client_of
from races.models import Alarm, CommentaryLine, ControlMessage, InjectedFault, Race
from races.models.creation import Choice, create_race
from races.report.detector_score import engine_room, round_ticks
from races.report.report import race_time, report
from tests.fakes.recorded import STARTED_MS, Recorded

pytestmark = pytest.mark.django_db


class Balanced(HTMLParser):
    """Fails where an element is closed that is not open; knows the ids and how often each came."""

    VOID = {"meta", "link", "input", "br"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(client: Client, race: Race, **query: Any) -> str:
    answer = client.get(race.get_absolute_url(), query)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert len(Balanced(text).ids) == len(set(Balanced(text).ids))
    return text


def test_an_empty_history_says_what_to_do(client: Client) -> None:
    text = client.get("/races/").content.decode()
    assert "The track is empty." in text
    assert 'href="/"' in text


def test_the_history_is_newest_first(client: Client) -> None:
    first = Recorded(laps=1).race
    create_race(Choice("HAM", circuit="spa"))
    text = client.get("/races/").content.decode()
    winner = first.results.get(position=1)
    assert winner.driver_name in text
    assert text.index("Spa") < text.index(first.get_absolute_url())
    assert '<span class="state queued">' in text


def test_the_history_filters(client: Client) -> None:
    spa, monza = create_race(Choice("HAM", circuit="spa")), create_race(Choice("NOR"))
    Race.objects.filter(pk=monza.pk).update(status="failed")
    expected: list[tuple[dict[str, str], set[Any]]] = [
        ({"circuit": "spa"}, {spa.pk}),
        ({"status": "failed"}, {monza.pk}),
        ({"status": "failed", "circuit": "spa"}, set()),
        ({"status": "'; drop", "circuit": "x"}, {spa.pk, monza.pk}),
    ]
    for query, shown in expected:
        answer = client.get("/races/", query)
        assert {row.race.pk for row in answer.context["rows"]} == shown
        assert answer.status_code == 200


def test_pages_keep_the_filter(client: Client) -> None:
    for _ in range(31):
        create_race(Choice("HAM", circuit="spa"))
    text = client.get("/races/", {"circuit": "spa"}).content.decode()
    assert "?page=2&amp;circuit=spa" in text
    assert len(client.get("/races/", {"circuit": "spa", "page": "2"}).context["rows"]) == 1


def test_the_list_needs_few_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(12):
        create_race(Choice("HAM", circuit="spa"))
    with django_assert_max_num_queries(6):
        client.get("/races/")


def test_the_report_follows_the_live_page(client: Client) -> None:
    race = Recorded(laps=1).race
    assert "ws-connect" not in page(client, race)
    Race.objects.update(status="running")
    assert "ws-connect" in client.get(race.get_absolute_url()).content.decode()


def test_the_classification_is_whole(client: Client) -> None:
    race = Recorded(laps=3).race
    text = page(client, race)
    rows = text.split("<tbody>")[1].split("</tbody>")[0].split("<tr")[1:]
    assert len(rows) == 22
    for row, result in zip(rows, race.results.all(), strict=True):
        assert result.driver_code in row
        assert ('class="own"' in row) == (result.driver_code == "NOR")
    assert f"/races/{race.pk}/replay/" in text


def test_only_the_owner_sees_you(client: Client) -> None:
    race = Recorded(laps=1).race
    stranger = client.get(race.get_absolute_url())
    assert "<em>picked</em>" in stranger.content.decode()
    replay = race.get_absolute_url() + "replay/"
    assert " data-mine" not in client.get(replay).content.decode()
    Race.objects.update(client=client_of(client.cookies[COOKIE].value))
    mine = page(client, race)
    assert "<em>you</em>" in mine
    assert "the thick line is yours" in mine
    assert " data-mine" in client.get(replay).content.decode()


def test_chart_and_classification_agree() -> None:
    race = Recorded(laps=4, seed=5).race
    cars = report(race, [])["cars"]
    for place, car in enumerate(cars, 1):
        if car.status == "finished" and car.points[-1].lap == race.laps:
            assert car.points[-1].position == place
            gap = race.results.get(driver_code=car.code).gap_s or 0.0
            assert car.points[-1].gap_s == pytest.approx(gap, abs=0.0015)


def test_every_chart_has_words_and_a_table(client: Client) -> None:
    text = page(client, Recorded(laps=3).race)
    plots, pictures = text.count('class="plot"'), text.count('class="dominance"')
    assert plots >= 6
    assert text.count('role="img" aria-label="') == plots + pictures
    assert text.count("<summary>As a table</summary>") == plots
    assert " style=" not in text
    assert "<script>" not in text


def test_chosen_drivers_are_those_in_the_address(client: Client) -> None:
    race = Recorded(laps=3).race
    context = client.get(race.get_absolute_url(), {"drivers": ["HAM", "BOT", "'\"<b>"]}).context
    assert set(context["chosen"]) == {"HAM", "BOT"}
    assert "NOR" in client.get(race.get_absolute_url()).context["chosen"]


def test_the_engine_room_says_how_to_begin(client: Client) -> None:
    text = page(client, Recorded(laps=1).race)
    assert "Anomaly detection was off in this race." in text
    assert "F1_ANOMALY_DETECTION=1 make run" in text


def test_the_engine_room_scores_the_detector(client: Client) -> None:
    race = Recorded(laps=3, anomaly=True).race
    InjectedFault.objects.all().delete()
    Alarm.objects.all().delete()
    ok = race.results.filter(status="finished").values_list("driver_code", flat=True)[:3]
    for code, kind, start in ((ok[0], "spike", 20), (ok[1], "blocked_radiator", 25)):
        InjectedFault.objects.create(
            race=race, driver_code=code, kind=kind, start_tick=start, end_tick=start + 5, size_c=9.0
        )
    for code, kind, tick in ((ok[0], "spike", 22), (ok[2], "overheating", 30)):
        Alarm.objects.create(
            race=race, driver_code=code, kind=kind, start_ms=STARTED_MS + tick * 200, severity="info"
        )
    room = engine_room(race)
    assert [(f.code, f.caught_as, f.delay_s) for f in room.faults] == [
        (ok[1], "", None),  # the missed ones first
        (ok[0], "spike", 0.4),
    ]
    assert (room.score.caught, room.missed, room.median_delay_s) == (1, 1, 0.4)
    assert room.false_alarms == ((ok[2], "overheating", "0:06", False),)
    text = page(client, race)
    assert "missed" in text
    assert f"{ok[2]} “overheating” at 0:06. Nothing" in text
    ControlMessage.objects.create(
        race=race, event=-9, tick=28, timestamp=0, type="retirement", driver_code=ok[2], lap=1, message=""
    )
    assert f"{ok[2]} “overheating” at 0:06, when it had stopped. Nothing" in page(client, race)


def test_alarms_are_placed_after_a_wait() -> None:
    race = Recorded(laps=1, anomaly=True).race
    race.waits = [[10, 5000], [20, 700]]
    for tick in (0, 9, 10, 15, 20, 21):
        assert race.tick_at(race.event_ms(tick)) == tick


def test_a_failed_race_gives_its_reason(client: Client) -> None:
    race = create_race(Choice("PIA", circuit="suzuka", laps=3, pace=7, seed=42))
    Race.objects.update(status="failed", status_reason="The <worker> fell over.")
    text = page(client, race)
    assert "The &lt;worker&gt; fell over." in text
    assert "Run it again" in text
    form = text.split('<form method="post" action="/races/">')[1].split("</form>")[0]
    again = {"driver": "PIA", "circuit": "suzuka", "laps": "3", "pace": "7", "seed": "42"}
    for name, value in again.items():
        assert f'name="{name}" value="{value}"' in form


def test_a_failed_race_shows_its_last_order(client: Client) -> None:
    race = Recorded(laps=3).race
    race.results.all().delete()
    Race.objects.update(status="failed", status_reason="The worker fell over.")
    text = page(client, race)
    assert "The order when it failed" in text
    assert "As it stood at the last tick" in text
    rows = list(csv.DictReader(client.get(f"/races/{race.pk}/results.csv").content.decode().splitlines()))
    assert [row["position"] for row in rows] == [str(place) for place in range(1, 23)]
    assert len(client.get(f"/races/{race.pk}/report.json").json()["results"]) == 22
    assert 'id="h-places"' in text


def test_the_lap_chart_has_words(client: Client) -> None:
    race = Recorded(laps=2).race
    own = race.results.get(driver_code="NOR")
    assert f"started {ordinal(own.grid)} and was {ordinal(own.position)} in the end." in page(client, race)
    race.results.filter(driver_code="NOR").update(status="retired")
    assert f"started {ordinal(own.grid)} and did not finish." in page(client, race)


def test_a_set_without_a_lap_is_drawn(client: Client) -> None:
    race = Recorded(laps=3).race
    race.results.filter(driver_code="NOR").update(stints="M1 S2 H3", laps=2, stops=2, status="retired")
    text = page(client, race)
    row = text.split('<tr class="own">')[1].split("</tr>")[0]
    assert re.findall(r'<b class="t(.)">', row) == ["M", "S", "H"]
    assert "M 1, S 2, H 3 (not finished)" in text
    assert "<title>NOR: hard, lap 3 (not finished)</title>" in text


def test_a_standing_average_is_dimmed(client: Client) -> None:
    race = Recorded(laps=2).race
    assert "wide still" not in page(client, race)
    race.results.filter(driver_code="NOR").update(status="retired", average_speed_kmh=12.3)
    text = page(client, race)
    row = text.split('<tr class="own">')[1].split("</tr>")[0]
    assert '<td class="n wide still" data-kmh="12.3">12.3</td>' in row
    assert "time standing still" in text


def test_ordinals_are_english() -> None:
    numbers = (1, 2, 3, 4, 11, 12, 13, 21, 22)
    words = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd"]
    assert [ordinal(number) for number in numbers] == words


def test_figures_have_a_point(client: Client) -> None:
    race = Recorded(laps=2, anomaly=True).race
    text = client.get(race.get_absolute_url(), headers={"accept-language": "de"}).content.decode()
    assert not re.search(r">[^<]*\d,\d+ (s|°C)<", text)


def test_a_stop_on_the_grid_names_no_leader(client: Client) -> None:
    race = Recorded(stop=8).race
    Race.objects.update(status="stopped")
    text = page(client, race)
    assert "<h1>Red flag on the grid</h1>" in text
    assert "The race had not begun." in text
    assert "Leader" not in text
    assert ", –" not in text


def test_a_stopped_race_says_on_which_lap(client: Client) -> None:
    race = Recorded(laps=6, stop=80).race
    Race.objects.update(status="stopped", lap=4)
    text = page(client, race)
    assert "led when the red flag came" in text
    assert "Red flag on lap 4 of 6." in text
    assert ">red flag</text>" in text
    places = text.split('id="h-places"')[1].split("</section>")[0]
    running = race.results.exclude(status="retired").count()
    assert len(re.findall(r'<path class="case[^>]*L1000 [\d.]+"', places)) == running


def test_the_report_says_how_long_the_race_took(client: Client) -> None:
    race = Recorded(laps=3).race
    winner = race.results.get(position=1).driver_code
    took = sum(lap.time_s for lap in race.lap_set.filter(driver_code=winner) if lap.time_s)
    assert f"3 laps in {race_time(took)}." in page(client, race)


def test_race_times_have_hours() -> None:
    assert race_time(1042.3454) == "17:22.345"
    assert race_time(4642.3) == "1:17:22.300"


def test_one_lap_has_no_line_charts(client: Client) -> None:
    text = page(client, Recorded(laps=1).race)
    assert 'id="h-places"' in text
    assert 'id="h-stints"' in text
    assert 'id="h-gaps"' not in text
    assert 'id="chosen"' not in text


def test_too_many_drivers_are_reported(client: Client) -> None:
    race = Recorded(laps=2).race
    codes = list(race.results.values_list("driver_code", flat=True))
    words = "More than six were asked for"
    assert words not in client.get(race.get_absolute_url(), {"drivers": codes[:6]}).content.decode()
    assert words in client.get(race.get_absolute_url(), {"drivers": codes[:7]}).content.decode()


def test_words_lead_into_the_replay(client: Client) -> None:
    race = Recorded(laps=1).race
    race.commentary.all().delete()
    Race.objects.update(waits=[[10, 60_000]])
    race.refresh_from_db()
    CommentaryLine.objects.create(
        race=race, identity="x", timestamp=race.event_ms(20), type="info", message="Now!"
    )
    assert f'/races/{race.pk}/replay/?tick=20" title="The replay from here">0:04</a>' in page(client, race)


def test_missing_ticks_are_shown(client: Client) -> None:
    text = page(client, Recorded(laps=2, miss=range(30, 33)).race)
    assert "Not recorded: 3 ticks of this race" in text


def test_words_of_others_are_escaped(client: Client) -> None:
    race = Recorded(laps=1).race
    CommentaryLine.objects.create(
        race=race, identity="x", timestamp=STARTED_MS, type="info", message="<script>alert(1)</script>"
    )
    assert "<script>alert" not in page(client, race)


@pytest.mark.parametrize("what", ["results", "laps", "commentary", "control", "alarms", "faults"])
def test_every_table_comes_as_csv(client: Client, what: str) -> None:
    race = Recorded(laps=2, anomaly=True).race
    answer = client.get(f"/races/{race.pk}/{what}.csv")
    rows = list(csv.reader(answer.content.decode().splitlines()))
    expected = {"results": 22, "laps": race.lap_set.count(), "commentary": race.commentary.count()}
    assert len(rows) - 1 == expected.get(what, len(rows) - 1)
    assert all(len(row) == len(rows[0]) for row in rows)
    assert answer["Content-Disposition"].startswith("attachment; filename=")


def test_laps_as_csv_are_those_of_the_page(client: Client) -> None:
    race = Recorded(laps=3).race
    rows = list(csv.DictReader(client.get(f"/races/{race.pk}/laps.csv").content.decode().splitlines()))
    tables = client.get(race.get_absolute_url()).context["tables"]
    cars = [car.code for car in client.get(race.get_absolute_url()).context["cars"]]
    for row in rows:
        shown = dict(tables["gaps"])[int(row["lap"])][cars.index(row["driver_code"])]
        assert shown == gap(float(row["gap_s"]) or None)
        assert row["position"] == dict(tables["places"])[int(row["lap"])][cars.index(row["driver_code"])]
    assert [row["position"] for row in rows if row["lap"] == "1"] == [str(n) for n in range(1, 23)]


def test_downloads_add_ticks_to_times(client: Client) -> None:
    race = Recorded(laps=1, anomaly=True).race
    Alarm.objects.create(race=race, driver_code="NOR", kind="spike", start_ms=STARTED_MS + 6000)
    found = client.get(f"/races/{race.pk}/report.json").json()
    assert found["alarms"][-1]["start_tick"] == 30
    assert all(STARTED_MS + 200 * line["tick"] == line["timestamp"] for line in found["commentary"])


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_becomes_a_formula(client: Client, start: str) -> None:
    race = Recorded(laps=1).race
    CommentaryLine.objects.create(race=race, identity="x", timestamp=0, type="info", message=start)
    rows = list(csv.reader(client.get(f"/races/{race.pk}/commentary.csv").content.decode().splitlines()))
    assert rows[1][3] == "'" + start


def test_everything_comes_as_json(client: Client) -> None:
    race = Recorded(laps=2).race
    body = json.loads(client.get(f"/races/{race.pk}/report.json").content)
    assert (body["race"]["seed"], body["race"]["laps"]) == (race.seed, 2)
    assert len(body["results"]) == 22
    assert len(body["laps"]) == race.lap_set.count()


def test_unknown_tables_are_not_found(client: Client) -> None:
    race = Recorded(laps=1).race
    assert client.get(f"/races/{race.pk}/entries.csv").status_code == 404
    Race.objects.update(status="running")
    assert client.get(f"/races/{race.pk}/results.csv").status_code == 404
    assert client.get(f"/races/{race.pk}/report.json").status_code == 404


def test_the_axis_has_round_seconds() -> None:
    """Between four and ten ticks of it, whatever the length of the race."""
    for seconds in (40, 85, 100, 400, 5400):
        ticks = round_ticks(seconds * 5)
        assert 4 <= len(ticks) <= 10
        assert {tick % 25 for tick in ticks} == {0}
