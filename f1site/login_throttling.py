"""Guessing at the admin's door from many addresses. axes counts a name at one address, so that a class behind one
address is not locked out with its teacher; but whoever has many addresses, or a server that believes what a client
says of its own, would guess for ever.
"""

from __future__ import annotations

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.db.models import Sum
from django.http import HttpRequest

ADDRESSES = 5  # a name is locked everywhere after as many failures as lock it at so many


class LockoutByName(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """As at one address."""
        here = int(super().get_failures(request, credentials))
        recent = AccessAttempt.objects.filter(
            username=get_client_username(request, credentials),
            attempt_time__gte=get_cool_off_threshold(request),
        )
        everywhere = recent.aggregate(all=Sum("failures_since_start"))["all"] or 0
        return max(here, everywhere // ADDRESSES)
