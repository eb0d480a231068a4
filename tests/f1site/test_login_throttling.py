"""Failed logins are kept as long as they lock somebody out, and no longer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from f1site import asgi
from f1site.login_throttling import expire_failed_logins

pytestmark = pytest.mark.django_db


def fail_to_log_in(client: Client, password: str = "wrong") -> int:
    return client.post("/admin/login/", {"username": "marshal", "password": password}).status_code


def age(minutes: float) -> None:
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=minutes))


def test_an_attempt_goes_once_it_locks_nobody_out(client: Client) -> None:
    User.objects.create_superuser("marshal", password="the right one 4711")
    for _ in range(8):
        fail_to_log_in(client)
    expire_failed_logins()
    assert fail_to_log_in(client, "the right one 4711") == 429, "the lockout outlasts the expiry"
    age(16)
    expire_failed_logins()
    assert not AccessAttempt.objects.exists()
    assert fail_to_log_in(client, "the right one 4711") == 302


@pytest.mark.django_db(transaction=True)
def test_a_web_process_expires_them_by_itself(client: Client) -> None:
    fail_to_log_in(client)
    age(16)

    async def first_request() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "lifespan.shutdown"}

        async def send(message: object) -> None: ...

        await asgi.application({"type": "lifespan"}, receive, send)
        for _ in range(500):
            if not await AccessAttempt.objects.aexists():
                return
            await asyncio.sleep(0.01)

    asyncio.run(first_request())
    assert not AccessAttempt.objects.exists()
