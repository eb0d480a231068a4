"""Failed logins: kept as long as they lock somebody out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from races.live.service import LiveService
from races.middleware.failed_logins import EVERY_S, Guesses

pytestmark = pytest.mark.django_db


def guess(client: Client, password: str = "wrong") -> int:
    return client.post("/admin/login/", {"username": "marshal", "password": password}).status_code


def age(minutes: float) -> None:
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=minutes))


def test_an_attempt_and_its_address_go_when_they_lock_nobody_out_any_more(client: Client) -> None:
    User.objects.create_superuser("marshal", password="the right one 4711")
    guesses = Guesses()
    for _ in range(8):
        guess(client)
    assert AccessAttempt.objects.exists()
    guesses.forget(0.0)
    assert guess(client, "the right one 4711") == 429, "the lockout outlasts the tidying"
    age(16)
    guesses.forget(EVERY_S - 1)
    assert AccessAttempt.objects.exists(), "it works once a minute"
    guesses.forget(EVERY_S + 1)
    assert not AccessAttempt.objects.exists()
    assert guess(client, "the right one 4711") == 302


@pytest.mark.django_db(transaction=True)
def test_every_web_process_tidies_up_at_its_start_and_from_time_to_time(client: Client) -> None:
    guess(client)
    age(16)
    LiveService()._refresh_statuses()
    assert not AccessAttempt.objects.exists()
