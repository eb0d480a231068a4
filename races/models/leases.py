"""Leases: which worker publishes a race, and which process records.

The rule, for races and for the recorder: a holder moves its lease's counter every RENEW_S. An observer that has seen
the counter stand still for LEASE_S, on its own monotonic clock, may take the lease by compare and swap. A holder that
cannot renew for LEASE_S stops before that.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Hashable

from django.db import models
from django.db.models import F
from django.utils import timezone

LeaseState = tuple[str, int]  # owner (empty: free) and counter
RECORDER = "recorder"
RENEW_S, LEASE_S = 2.0, 6.0


class LeaseObserver:
    """Watches the leases of others. Instants are on the caller's monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, tuple[LeaseState, float]] = {}

    def expired(self, name: Hashable, lease: LeaseState, now: float) -> bool:
        """Whether the lease may be taken: it is free, or its holder has not moved it for LEASE_S."""
        seen, since = self._seen.get(name, (None, now))
        if seen != lease:
            self._seen[name] = (lease, now)
        return not lease[0] or (seen == lease and now - since >= LEASE_S)

    def keep_only(self, names: Collection[Hashable]) -> None:
        """Forgets the leases that no longer exist."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}


class Lease(models.Model):
    """The lease of a job that only one process may do: the recorder's."""

    name = models.CharField(max_length=40, primary_key=True)
    owner = models.CharField(max_length=40, blank=True)
    counter = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.owner or 'free'}"


class WorkerHeartbeat(models.Model):
    owner = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()
    races = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.owner

    @classmethod
    def beat(cls, owner: str, races: int, state: str) -> None:
        values = {"seen_at": timezone.now(), "races": races, "state": state}
        cls.objects.update_or_create(owner=owner, defaults=values)


class RecorderOffset(models.Model):
    """An offset at which the recorder goes on. Offsets belong to one incarnation of the cluster."""

    incarnation = models.CharField(max_length=80)
    topic = models.CharField(max_length=249)
    partition = models.PositiveIntegerField()
    next_offset = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incarnation", "topic", "partition"], name="offset_identity")
        ]

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}] {self.next_offset}"


class RecorderLease:
    """The lease of the one process that records."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._owner = clock, uuid.uuid4().hex[:16]
        self._renewed: float | None = None
        self._observer = LeaseObserver()

    def fresh(self) -> bool:
        return self._renewed is not None and self._clock() - self._renewed < LEASE_S

    def hold(self) -> bool:
        """Renews the lease, or takes it where it may be taken. Returns whether this process has it."""
        now = self._clock()
        if self._renewed is not None and now - self._renewed < RENEW_S:
            return True
        held = self._renew()
        if not held:
            row, _ = Lease.objects.get_or_create(name=RECORDER)
            if self._observer.expired(RECORDER, (row.owner, row.counter), now):
                seen = Lease.objects.filter(name=RECORDER, owner=row.owner, counter=row.counter)
                held = bool(seen.update(owner=self._owner, counter=F("counter") + 1))
        self._renewed = now if held else None
        return held

    def confirm(self) -> bool:
        """Renews the lease in the caller's transaction, and returns whether it is still ours. The row stays locked
        until the transaction ends, so nobody takes the lease meanwhile.
        """
        self._renewed = self._clock() if self._renew() else None
        return self._renewed is not None

    def release(self) -> None:
        Lease.objects.filter(name=RECORDER, owner=self._owner).update(owner="")

    def _renew(self) -> bool:
        mine = Lease.objects.filter(name=RECORDER, owner=self._owner)
        return bool(mine.update(counter=F("counter") + 1))


def break_recorder_lease() -> None:
    """Frees the lease. Only the process that owns an embedded Kafka may do so: any other recorder is gone."""
    Lease.objects.filter(name=RECORDER).update(owner="")
