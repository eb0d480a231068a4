"""A class: its page, its names, its one race, and what only the teacher may do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from races.lib.rate_limit import RateLimiter
from races.models import Classroom, Pick, Race, Result
from races.models.classes import MEMBERS, Member
from races.models.creation import Choice, create_race
from races.views import classes
from tests.fakes.markup import HOSTILE, Markup

pytestmark = pytest.mark.django_db
ELSEWHERE = "192.0.2.9"


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classes, "JOINING", RateLimiter(burst=1000))


@pytest.fixture
def teacher() -> Client:
    return Client()


@pytest.fixture
def room(teacher: Client) -> Classroom:
    return made(teacher)


def made(teacher: Client, **fields: Any) -> Classroom:
    answer = teacher.post("/class/", {"circuit": "spa", "laps": "3", "seeds": "7, 2026"} | fields)
    assert answer.status_code == 303
    return Classroom.objects.get(code=answer["Location"].split("/")[-2])


def pupil() -> Client:
    """Somebody in the room, on a machine of their own."""
    return Client(REMOTE_ADDR=ELSEWHERE)


def join(room: Classroom, name: str, driver: str = "NOR", client: Client | None = None) -> Any:
    who = client or pupil()
    return who.post(f"/class/{room.code}/join/", {"name": name, "driver": driver})


def teach(client: Client, room: Classroom, deed: str, **fields: Any) -> Any:
    return client.post(f"/class/{room.code}/teach/", {"do": deed} | fields)


def board(client: Client, room: Classroom) -> str:
    return str(client.get(f"/class/{room.code}/now/").content.decode())


def finished(race: Race, *codes: str) -> None:
    for position, code in enumerate(codes, 1):
        Result.objects.create(
            race=race, position=position, grid=position, driver_code=code, status="finished"
        )
    Race.objects.filter(pk=race.pk).update(status=Race.Status.FINISHED, published_over=True)


def test_a_name_is_on_the_board_after_one_form(teacher: Client, room: Classroom) -> None:
    assert re.fullmatch("[a-z]{6}", room.code)
    anna = pupil()
    page = anna.get(room.get_absolute_url()).content.decode()
    assert 'name="name"' in page
    assert page.count('name="driver"') == 22
    assert join(room, "Anna", "HAM", anna)["Location"] == room.get_absolute_url()
    for who in (teacher, anna, pupil()):
        assert "<bdi>Anna</bdi>" in board(who, room)
    assert (
        "You are <b><bdi>Anna</bdi></b>, with <b>HAM</b>"
        in anna.get(room.get_absolute_url()).content.decode()
    )


def test_six_letters_lead_to_the_class(room: Classroom) -> None:
    for path in (f"/j/{room.code}/", f"/j/{room.code.upper()}/", f"/class/?code={room.code.upper()}"):
        assert pupil().get(path)["Location"] == room.get_absolute_url()
    assert pupil().get(f"/class/{room.code.upper()}/").status_code == 200
    assert pupil().get("/class/bbbbbb/").status_code == 404
    assert b"No class has these letters" in pupil().get("/class/?code=bbbbbb").content


def test_one_race_runs_for_all_with_everybodys_pick(teacher: Client, room: Classroom) -> None:
    anna, ben, cem = pupil(), pupil(), pupil()
    for name, driver, who in (("Anna", "HAM", anna), ("Ben", "HAM", ben), ("Cem", "VER", cem)):
        join(room, name, driver, who)
    for _ in range(2):  # who presses twice starts one
        teach(teacher, room, "start")
    race = Race.objects.get()
    assert (race.circuit, race.laps, race.seed, race.classroom, race.driver_code) == (
        "spa",
        3,
        7,
        room,
        "HAM",
    )
    assert {(pick.member.name, pick.driver_code) for pick in race.picks.all()} == {
        ("Anna", "HAM"), ("Ben", "HAM"), ("Cem", "VER"),
    }  # fmt: skip
    page = anna.get(race.get_absolute_url()).content.decode()
    assert 'data-own="HAM" data-pick="HAM"' in page
    assert page.count("<li data-code=") == 3
    assert "your pick" not in page
    assert "your pick" in cem.get(race.get_absolute_url()).content.decode()
    assert "/stop/" not in page
    assert "/stop/" in teacher.get(race.get_absolute_url()).content.decode()
    assert f'data-race="{race.get_absolute_url()}"' in board(anna, room)


def test_a_changed_driver_counts_from_the_next_race_on(teacher: Client, room: Classroom) -> None:
    anna = pupil()
    join(room, "Anna", "HAM", anna)
    teach(teacher, room, "start")
    first = Race.objects.get()
    join(room, "Anna", "VER", anna)
    join(room, "Late", "NOR")
    assert [pick.driver_code for pick in first.picks.all()] == ["HAM"]
    assert "from the next race on" in board(anna, room)
    finished(first, "HAM", "VER", "NOR")
    assert ">25</td>" in board(anna, room)
    teach(teacher, room, "start")
    second = Race.objects.exclude(pk=first.pk).get()
    assert (second.seed, second.picks.count()) == (2026, 2)
    finished(second, "NOR", "VER", "HAM")
    rows = re.findall(
        r"<bdi>(\w+)</bdi>.*?<b>(\w+)</b>.*?>(P\d|–)</td>\s*<td class=\"n\">(\d+)", board(anna, room), re.S
    )
    assert rows == [("Anna", "VER", "P2", "43"), ("Late", "NOR", "P1", "25")]


@pytest.mark.parametrize(
    ("name", "driver", "words"),
    [
        ("", "NOR", "at least one letter"),
        ("<script>alert(1)</script>", "NOR", "A name has"),
        ("ANNA", "NOR", "has that name"),
        ("Ben", "QQQ", "driver of the grid"),
        ("Ben", "", "driver of the grid"),
    ],
)
def test_refused_join_says_why(room: Classroom, name: str, driver: str, words: str) -> None:
    join(room, "Anna")
    answer = join(room, name, driver)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert b"<script>alert" not in answer.content
    assert room.members.count() == 1


@pytest.mark.parametrize("text", HOSTILE[::3])
def test_a_hostile_name_in_the_database_is_only_text(teacher: Client, room: Classroom, text: str) -> None:
    join(room, "Anna", "HAM")
    teach(teacher, room, "start")
    paths = [room.get_absolute_url(), f"{room.get_absolute_url()}?screen=big", f"{room.get_absolute_url()}now/",
             Race.objects.get().get_absolute_url(), "/races/", "/"]  # fmt: skip
    create_race(Choice("NOR"), client=Member.objects.get().client)
    usual = [Markup(teacher.get(path).content.decode()) for path in paths]
    Member.objects.update(name=text.replace("\0", "")[:24])
    for path, plain in zip(paths, usual, strict=True):
        found = Markup(teacher.get(path).content.decode())
        assert set(found.elements) <= set(plain.elements), path
        assert found.ids <= plain.ids


def test_only_the_teacher_and_staff_teach(teacher: Client, room: Classroom) -> None:
    join(room, "Anna")
    staff = Client(REMOTE_ADDR=ELSEWHERE)
    staff.force_login(User.objects.create_superuser("marshal"))
    for deed in ("start", "stop", "stop-all", "entry", "members-only", "remove", "stop-own", "forget"):
        assert teach(pupil(), room, deed).status_code == 403
    assert not Race.objects.exists()
    assert teach(staff, room, "start").status_code == 303
    assert "Remove" not in board(pupil(), room)
    assert teach(teacher, room, "nonsense").status_code == 422


def test_a_projector_shows_no_buttons(teacher: Client, room: Classroom) -> None:
    join(room, "Anna")
    for path in (room.get_absolute_url(), f"{room.get_absolute_url()}now/"):
        assert "teach/" in teacher.get(path).content.decode()
        assert "teach/" not in teacher.get(path, {"screen": "big"}).content.decode()


def test_a_class_is_made_at_the_machine_or_by_staff() -> None:
    assert pupil().post("/class/", {}).status_code == 403
    assert "Make the class" not in pupil().get("/class/").content.decode()
    proxied = Client(headers={"X-Forwarded-For": ELSEWHERE})
    assert proxied.post("/class/", {}).status_code == 403
    assert not Classroom.objects.exists()


@pytest.mark.parametrize(
    ("field", "typed"), [("laps", "99"), ("pace", "61"), ("seeds", "7, x"), ("circuit", "nowhere")]
)
def test_wrong_setup_has_its_error_beside_it(teacher: Client, field: str, typed: str) -> None:
    answer = teacher.post("/class/", {field: typed})
    assert answer.status_code == 422
    assert answer.content.decode().count('class="error"') == 1


def test_a_closed_entry_takes_nobody_new(teacher: Client, room: Classroom) -> None:
    anna = pupil()
    join(room, "Anna", "HAM", anna)
    teach(teacher, room, "entry")
    assert join(room, "Ben").status_code == 403
    assert join(room, "Anna", "VER", anna).status_code == 303
    teach(teacher, room, "entry")
    assert join(room, "Ben").status_code == 303


def test_who_is_removed_is_forgotten_and_stays_out(teacher: Client, room: Classroom) -> None:
    anna = pupil()
    join(room, "Anna", "HAM", anna)
    teach(teacher, room, "remove", member=room.members.get().pk)
    assert "Anna" not in board(teacher, room)
    assert Member.objects.get().name == ""
    assert join(room, "Anna", "HAM", anna).status_code == 403
    assert join(room, "Anna").status_code == 303


def test_a_member_of_another_class_is_not_removed(teacher: Client, room: Classroom) -> None:
    other = made(teacher)
    join(other, "Anna")
    for number in (other.members.get().pk, "", "x", "9" * 30, "²"):
        assert teach(teacher, room, "remove", member=number).status_code == 303
    assert "Anna" in board(teacher, other)


def test_a_room_is_full_at_some_point(room: Classroom) -> None:
    Member.objects.bulk_create(
        Member(classroom=room, client=f"c{number}", name=f"N{number}", look=f"n{number}", driver_code="NOR")
        for number in range(MEMBERS)
    )
    assert join(room, "Anna").status_code == 403


def test_names_come_no_faster_than_a_room_types(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classes, "JOINING", RateLimiter(burst=1, rate=0))
    assert join(room, "Anna").status_code == 303
    answer = join(room, "Ben")
    assert answer.status_code == 429
    assert 'value="Ben"' in answer.content.decode()


@override_settings(F1_MAX_RACES_PER_CLIENT=5)
def test_private_windows_do_not_fill_the_lab(teacher: Client, room: Classroom) -> None:
    filler = pupil()
    join(room, "Max", "VER", filler)
    for client in (filler, filler, pupil(), pupil()):
        assert client.post("/races/", {"driver": "NOR"}).status_code == 303
    assert "Own races" in board(teacher, room)
    teach(teacher, room, "stop-own", member=room.members.get().pk)
    assert Race.objects.filter(stop_requested=True).count() == 2
    teach(teacher, room, "stop-all")
    assert Race.objects.filter(stop_requested=True).count() == 4
    teach(teacher, room, "members-only")
    refused = pupil().post("/races/", {"driver": "NOR"})
    assert refused.status_code == 403
    assert "Join it first" in refused.content.decode()
    assert filler.post("/races/", {"driver": "NOR"}).status_code == 303
    assert teacher.post("/races/", {"driver": "NOR"}).status_code == 303


def test_a_teacher_elsewhere_stops_the_classes_own_races_only(room: Classroom) -> None:
    away = pupil()
    away.get("/")
    create_race(Choice("NOR"), client="nobody")
    join(room, "Anna", "HAM", away)
    away.post("/races/", {"driver": "NOR"})
    Classroom.objects.update(client=room.members.get().client)
    teach(away, room, "stop-all")
    assert [race.client for race in Race.objects.filter(stop_requested=True)] == [room.members.get().client]


def test_races_outlive_their_class(teacher: Client, room: Classroom) -> None:
    join(room, "Anna")
    teach(teacher, room, "start")
    assert teach(teacher, room, "forget")["Location"] == "/class/"
    assert not Member.objects.exists()
    assert not Pick.objects.exists()
    assert Race.objects.get().classroom is None


def test_lists_know_mine_names_and_seeds(teacher: Client, room: Classroom) -> None:
    anna, ben = pupil(), pupil()
    join(room, "Anna", "HAM", anna)
    join(room, "Ben", "VER", ben)
    anna.post("/races/", {"driver": "NOR", "seed": "11"})
    ben.post("/races/", {"driver": "NOR", "seed": "12"})
    teach(teacher, room, "start")

    def seeds(query: str, client: Client = anna) -> set[str]:
        return set(re.findall(r"laps?, seed (\d+)</small>", client.get(f"/races/?{query}").content.decode()))

    assert seeds("") == {"7", "11", "12"}
    assert seeds("mine=on") == {"7", "11"}
    assert seeds("mine=on", pupil()) == set()
    assert seeds("seed=12") == {"12"}
    assert seeds("seed=²") == {"7", "11", "12"}
    assert seeds("who=ben") == {"7", "12"}
    page = anna.get("/races/").content.decode()
    assert page.count(">yours</small>") == 2
    assert "<bdi>Ben</bdi>" in page
    assert f"class {room.code}" in page


def test_who_is_at_which_part_of_the_guide(teacher: Client, room: Classroom) -> None:
    anna = pupil()
    join(room, "Anna", "HAM", anna)
    anna.get("/lab/03-topics/")
    assert "03-topics" in board(teacher, room)
    assert "03-topics" not in board(anna, room)
    assert "1 of 1 here" in board(teacher, room)


def test_thirty_rows_ask_no_more_than_three(teacher: Client, room: Classroom) -> None:
    def asked() -> int:
        with CaptureQueriesContext(database) as queries:
            board(teacher, room)
        return len(queries)

    for number in range(3):
        join(room, f"N{'abc'[number]}")
    few = asked()
    for letter in "defghijklmnop":
        join(room, f"N{letter}")
    assert asked() == few
