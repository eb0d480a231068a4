"""Limits on races, also for those who enter at the same instant."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import override_settings

from races.models import Entry, Race
from races.models.creation import Choice, LimitReached, create_race

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
def test_one_browser_gets_its_races_and_no_more_however_fast_it_asks() -> None:
    assert together(["one"] * AT_ONCE) == {"racing": 3, "told no": AT_ONCE - 3}
    assert (Race.objects.count(), Entry.objects.count()) == (3, 66)


@override_settings(F1_MAX_RACES=4, F1_MAX_RACES_PER_CLIENT=1)
def test_a_room_gets_the_labs_races_and_no_more_however_fast_it_asks() -> None:
    assert together([f"client {number}" for number in range(AT_ONCE)]) == {
        "racing": 4,
        "told no": AT_ONCE - 4,
    }
