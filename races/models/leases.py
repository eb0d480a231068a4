"""Leases and heartbeats: which process records, which workers live, where the recorder goes on."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db import models
from django.db.models import F

NAME = "recorder"
RENEW_S, LEASE_S = 2.0, 6.0


class Lease(models.Model):
    """Who does a job that only one may do, here the recorder's."""

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


class RecorderOffset(models.Model):
    """Where the recorder goes on. Offsets belong to one incarnation of the cluster."""

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
    """Only one recorder: the same compare-and-swap lease as a race's, on a row of its own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._owner = clock, uuid.uuid4().hex[:16]
        self._renewed: float | None = None
        self._seen: tuple[tuple[str, int] | None, float] = (None, 0.0)

    def fresh(self) -> bool:
        return self._renewed is not None and self._clock() - self._renewed < LEASE_S

    def hold(self) -> bool:
        """Renews it or takes it where its holder has not moved for 6 s."""
        now = self._clock()
        if self._renewed is not None and now - self._renewed < RENEW_S:
            return True
        if self._renew():
            self._renewed = now
            return True
        self._renewed = now if self._take(now) else None
        return self._renewed is not None

    def confirm(self) -> bool:
        """To be called in the transaction that writes: the row stays locked until it is through, so nobody else
        can take the lease meanwhile. False: somebody has it already.
        """
        self._renewed = self._clock() if self._renew() else None
        return self._renewed is not None

    def release(self) -> None:
        Lease.objects.filter(name=NAME, owner=self._owner).update(owner="")

    def _renew(self) -> bool:
        mine = Lease.objects.filter(name=NAME, owner=self._owner)
        return bool(mine.update(counter=F("counter") + 1))

    def _take(self, now: float) -> bool:
        row, _ = Lease.objects.get_or_create(name=NAME)
        lease = (row.owner, row.counter)
        if lease != self._seen[0]:
            self._seen = (lease, now)
        if row.owner and now - self._seen[1] < LEASE_S:
            return False
        free = Lease.objects.filter(name=NAME, owner=row.owner, counter=row.counter)
        return bool(free.update(owner=self._owner, counter=F("counter") + 1))


def break_lease() -> None:
    """For the one process that owns an embedded Kafka: whoever recorded before is gone."""
    Lease.objects.filter(name=NAME).update(owner="")
