"""The admin: what staff see of the history, that nothing of it can be changed, and how races are deleted."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client

from races.admin.site import HistoryAdmin
from races.models import BoardChunk, Lap, Member, Race, Result, moment
from races.models.classes import join, make_class, start_class_race
from races.models.creation import Choice, create_race
from tests.fakes.recorded import Recorded

pytestmark = pytest.mark.django_db
LIST = "/admin/races/race/"
HISTORY = [model for model, shown in admin.site._registry.items() if isinstance(shown, HistoryAdmin)]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("marshal"))
    return client


def ended(count: int = 1, status: str = "finished", **choice: Any) -> list[Race]:
    races = [create_race(Choice("NOR", **choice)) for _ in range(count)]
    Race.objects.filter(pk__in=[race.pk for race in races]).update(status=status)
    return races


def act(client: Client, action: str, races: list[Race], **more: Any) -> Any:
    fields = {"action": action, "_selected_action": [str(race.pk) for race in races], **more}
    return client.post(LIST, fields, follow=True)


def words(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_the_list_leads_to_each_races_page(staff: Client) -> None:
    race = Recorded(laps=1).race
    text = staff.get(LIST).content.decode()
    assert f'href="{race.get_absolute_url()}">report</a>' in text
    assert race.results.get(position=1).driver_name in text


def test_a_race_that_was_stopped_has_no_winner(staff: Client) -> None:
    race = Recorded(laps=3, stop=60).race
    Race.objects.update(status="stopped", lap=2)
    first = race.results.get(position=1).driver_name
    assert first not in staff.get(LIST, {"status": "stopped"}).content.decode()
    text = staff.get("/races/").content.decode()
    assert f"none; {first} led" in text


def test_rows_say_of_which_race_they_are_and_when_in_it(staff: Client) -> None:
    race = Recorded(laps=1).race
    older = Recorded(laps=1, circuit="spa").race
    Race.objects.filter(pk=older.pk).update(created_at=race.created_at - timedelta(days=1))
    text = staff.get("/admin/races/controlmessage/").content.decode()
    named = f"{race.circuit_name}, NOR, {race.created_at:%Y-%m-%d %H:%M}"
    assert text.index(named) < text.index("Spa, NOR")
    told = race.control.first()
    assert told is not None
    assert f">{moment(told.tick)}</a>" in text


def test_filters_and_search_find_races(staff: Client) -> None:
    (spa,) = ended(circuit="spa", seed=7_700_077)
    ended(circuit="monza", status="failed", seed=1)
    for query in (
        {"circuit_name": "Spa"},
        {"status": "finished"},
        {"q": "Spa"},
        {"q": "7700077"},
        {"q": str(spa.pk)},
    ):
        found = staff.get(LIST, query).context["cl"].queryset
        assert [race.pk for race in found] == [spa.pk], query


def test_results_are_read_only(staff: Client) -> None:
    race = Recorded(laps=1).race
    text = staff.get(f"{LIST}{race.pk}/change/").content.decode()
    for result in race.results.all():
        assert result.driver_name in text
    assert 'name="_save"' not in text
    assert 'name="seed"' not in text


def test_the_export_has_every_result_and_no_formula(staff: Client) -> None:
    race = Recorded(laps=1).race
    race.results.filter(position=1).update(driver_name="=HYPERLINK()")
    rows = list(csv.DictReader(act(staff, "export_results", [race]).content.decode().splitlines()))
    assert [row["position"] for row in rows] == [str(place) for place in range(1, 23)]
    assert rows[0]["driver_name"] == "'=HYPERLINK()"


@pytest.mark.parametrize("model", HISTORY)
def test_history_is_read_only(staff: Client, model: Any) -> None:
    race = Recorded(laps=1, anomaly=True).race
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert staff.get(base).status_code == 200
    assert staff.get(f"{base}add/").status_code == 403
    one = model._default_manager.first()
    if one is None:
        return
    assert staff.post(f"{base}{one.pk}/change/", {}).status_code == 403
    if model is not Race:
        before = model._default_manager.count()
        assert staff.post(f"{base}{one.pk}/delete/", {"post": "yes"}).status_code == 403
        staff.post(base, {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"})
        assert model._default_manager.count() == before
    assert Race.objects.filter(pk=race.pk).exists()


def test_deleting_asks_with_counts(staff: Client) -> None:
    race, kept = Recorded(laps=1).race, Recorded(laps=1, seed=2).race
    asked = act(staff, "delete_selected", [race])
    assert asked.context["counts"]["races"] == 1
    assert asked.context["counts"]["laps"] == race.lap_set.count() > 0
    assert Race.objects.count() == 2
    done = act(staff, "delete_selected", [race], post="yes")
    assert "1 race deleted" in words(done)
    assert list(Race.objects.all()) == [kept]
    for model in (Lap, Result, BoardChunk):
        assert not model._default_manager.filter(race_id=race.pk).exists()


def test_the_question_loads_no_stored_frames(staff: Client, django_assert_max_num_queries: Any) -> None:
    race = Recorded(laps=1).race
    with django_assert_max_num_queries(40) as seen:
        act(staff, "delete_selected", [race])
        staff.get(f"{LIST}{race.pk}/delete/")
    rows = [query["sql"] for query in seen.captured_queries if "races_boardchunk" in query["sql"]]
    assert rows
    assert all(sql.startswith("SELECT COUNT(") for sql in rows)


def test_a_running_race_stays_and_the_words_say_why(staff: Client) -> None:
    running, (over,) = create_race(Choice("HAM")), ended()
    asked = act(staff, "delete_selected", [running, over])
    assert "Still running and left out: 1." in words(asked)
    assert asked.context["counts"]["races"] == 1
    act(staff, "delete_selected", [running, over], post="yes")
    assert list(Race.objects.all()) == [running]
    assert "Still running" in words(act(staff, "delete_selected", [running], post="yes"))
    assert staff.post(f"{LIST}{running.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Race.objects.filter(pk=running.pk).exists()


def test_selected_races_that_run_are_stopped(staff: Client) -> None:
    running, other, over = create_race(Choice("NOR")), create_race(Choice("HAM")), Recorded(laps=1).race
    done = act(staff, "stop_selected", [running, over])
    assert "1 race will stop" in words(done)
    assert list(Race.objects.filter(stop_requested=True)) == [running]
    assert other.is_active


def test_class_can_only_be_deleted(staff: Client) -> None:
    room = make_class(Choice("NOR"), "teacher", [7])
    join(room, "pupil", "Anna", "HAM")
    race = start_class_race(room)
    assert "Anna" in staff.get(f"/admin/races/classroom/{room.pk}/change/").content.decode()
    assert staff.post(f"/admin/races/classroom/{room.pk}/change/", {}).status_code == 403
    staff.post(f"/admin/races/classroom/{room.pk}/delete/", {"post": "yes"})
    assert not Member.objects.exists()
    assert Race.objects.get(pk=race.pk).classroom is None


def test_one_race_is_deleted_on_its_own_page(staff: Client) -> None:
    race = Recorded(laps=1).race
    asked = staff.get(f"{LIST}{race.pk}/delete/").content.decode()
    assert "doesn" not in asked
    staff.post(f"{LIST}{race.pk}/delete/", {"post": "yes"})
    assert not Race.objects.exists()


def test_old_races_go_after_a_question_and_the_newest_stay(staff: Client) -> None:
    races, running = ended(5), create_race(Choice("HAM"))
    assert f'href="{LIST}old/"' in staff.get(LIST).content.decode()
    asked = staff.get(f"{LIST}old/", {"keep": "2"})
    assert asked.context["counts"]["races"] == 3
    assert Race.objects.count() == 6
    assert "3 races deleted" in words(staff.post(f"{LIST}old/", {"keep": "2", "post": "yes"}, follow=True))
    assert set(Race.objects.all()) == {*races[-2:], running}


@pytest.mark.parametrize("keep", ["", "-1", "many"])
def test_a_number_that_is_none_deletes_nothing(staff: Client, keep: str) -> None:
    ended(3)
    for answer in (staff.get(f"{LIST}old/", {"keep": keep}), staff.post(f"{LIST}old/", {"keep": keep})):
        assert answer.context["form"].errors
    assert Race.objects.count() == 3


@pytest.mark.parametrize("picked", ["<b>", "0", "\0"])
def test_unoffered_selection_deletes_nothing(staff: Client, picked: str) -> None:
    ended()
    answer = staff.post(LIST, {"action": "delete_selected", "_selected_action": picked, "post": "yes"})
    assert answer.status_code == 400
    assert b"no request that this lab understands" in answer.content
    assert Race.objects.exists()


def test_right_to_delete_races(client: Client) -> None:
    user = User.objects.create(username="steward", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_race"))
    client.force_login(user)
    (race,) = ended()
    assert client.get(f"{LIST}old/").status_code == 403
    assert client.post(f"{LIST}old/", {"keep": "0"}).status_code == 403
    act(client, "delete_selected", [race], post="yes")
    assert Race.objects.exists()
    user.user_permissions.add(Permission.objects.get(codename="delete_race"))
    act(client, "delete_selected", [race], post="yes")
    assert not Race.objects.exists()


def test_large_selection_goes_to_old_races(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("races.admin.deleting.MOST", 2)
    races = ended(3)
    assert "Delete old races" in words(act(staff, "delete_selected", races, select_across="1", post="yes"))
    assert Race.objects.count() == 3
