"""Login throttling for the admin, on top of django-axes.

axes counts failures for a name at one address, so that a class behind one address is not locked out with its teacher.
An attacker with many addresses, or behind a server that believes the address a client claims, could guess for ever.
So failures for a name at all addresses count as well.
"""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

ADDRESSES = 5  # a name is locked everywhere after as many failures as lock it at so many addresses
EXPIRE_EVERY_S = 60.0


class LockoutByName(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """The failures that count for this login, on the scale of one address."""
        here = int(super().get_failures(request, credentials))
        recent = AccessAttempt.objects.filter(
            username=get_client_username(request, credentials),
            attempt_time__gte=get_cool_off_threshold(request),
        )
        everywhere = recent.aggregate(all=Sum("failures_since_start"))["all"] or 0
        return max(here, everywhere // ADDRESSES)


def expire_failed_logins() -> None:
    """Deletes failed logins, and the addresses in them, that lock nobody out any more. Raises database errors.

    axes itself does so at the next login attempt, which may never come.
    """
    expired = AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - get_cool_off())
    if expired.exists():  # a query takes no write lock; deleting nothing would
        expired.delete()


_expiry: asyncio.Task[None] | None = None


def start_expiry() -> None:
    """Starts deleting expired failed logins in the running event loop, once for each loop."""
    global _expiry
    loop = asyncio.get_running_loop()
    if _expiry is None or _expiry.get_loop() is not loop:
        _expiry = loop.create_task(_expire_regularly())


async def _expire_regularly() -> None:
    while True:
        await sync_to_async(_expire_once, thread_sensitive=False)()
        await asyncio.sleep(EXPIRE_EVERY_S)


def _expire_once() -> None:
    """Runs in a thread that belongs to no request, so it closes its connection itself."""
    try:
        expire_failed_logins()
    except AnyDatabaseError:
        pass  # /healthz says that the database is away, and the next minute comes
    finally:
        close_old_connections()
