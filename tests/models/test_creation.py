"""Limits on races, also for those who enter at the same instant."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from races.models import Entry, Race
from races.models.creation import REPEAT_WITHIN, Choice, LimitReached, create_race

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 12


def together(clients: list[str]) -> Counter[str]:
    """What each got who entered a race at the same instant."""
    gate = Barrier(len(clients))

    def one(client: str) -> str:
        gate.wait(20)
        try:
            create_race(Choice("NOR"), client)
        except LimitReached:
            return "told no"
        finally:
            connection.close()
        return "racing"

    with ThreadPoolExecutor(len(clients)) as pool:
        return Counter(pool.map(one, clients))


@override_settings(F1_MAX_RACES=0, F1_MAX_RACES_PER_CLIENT=3)
def test_browser_keeps_to_its_limit() -> None:
    assert together(["one"] * AT_ONCE) == {"racing": 3, "told no": AT_ONCE - 3}
    assert (Race.objects.count(), Entry.objects.count()) == (3, 66)


@override_settings(F1_MAX_RACES=4, F1_MAX_RACES_PER_CLIENT=1)
def test_room_keeps_to_the_limit_of_races() -> None:
    assert together([f"client {number}" for number in range(AT_ONCE)]) == {
        "racing": 4,
        "told no": AT_ONCE - 4,
    }


CHOICE = Choice("NOR", laps=3)


def pressed(once: str, client: str = "visitor", choice: Choice = CHOICE) -> uuid.UUID:
    return create_race(choice, client, once).pk


def test_one_press_is_one_race() -> None:
    assert pressed("form") == pressed("form") == pressed("form")
    assert Race.objects.count() == 1
    assert Entry.objects.count() == 22


def test_another_press_is_another_race() -> None:
    """Another form, visitor or choice, and a form without a mark, as a program sends it."""
    made = {pressed("form"), pressed("other"), pressed("form", "somebody"), pressed("", ""), pressed("", "")}
    made |= {pressed("form", choice=replace(CHOICE, driver="PIA")), pressed(""), pressed("")}
    assert len(made) == 8


def test_form_may_be_used_again_later() -> None:
    """A person who goes back to the form minutes later wants another race."""
    first = pressed("form")
    Race.objects.update(created_at=timezone.now() - REPEAT_WITHIN * 2)
    second = pressed("form")
    assert second != first
    assert str(second) in json.dumps(Race.objects.get(pk=second).frozen)


def test_repeated_press_is_beyond_no_limit(settings: Any) -> None:
    settings.F1_MAX_RACES_PER_CLIENT = 1
    assert pressed("form") == pressed("form")


def test_presses_at_the_same_instant() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: _in_thread(), range(8)))
    assert len(set(made)) == 1


def _in_thread() -> uuid.UUID:
    try:
        return pressed("form")
    finally:
        connection.close()
