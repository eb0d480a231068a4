"""Failed logins with their addresses are kept for the lockout and no longer. axes itself tidies up with the next
attempt, which may never come.
"""

from __future__ import annotations

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.utils import timezone

EVERY_S = 60.0


class Guesses:
    def __init__(self) -> None:
        self._next = float("-inf")

    def forget(self, now: float) -> None:
        """Called often, works once a minute. now: on any clock that goes on. Raises database errors."""
        if now < self._next:
            return
        self._next = now + EVERY_S
        over = AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - get_cool_off())
        if over.exists():  # a question takes no lock, deleting nothing would
            over.delete()
