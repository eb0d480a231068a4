"""A race and its life: queued, running, then finished, stopped or failed. Every change of that state is here."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import cast

from django.db import models
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from races.models.leases import LeaseState
from races.models.short_code import ids_of, short_code
from races.sim import TICK_MS

ACTIVE = ("queued", "running")
RESERVE = 20  # ticks that a worker may publish ahead of what the database knows


def moment(tick: int) -> str:
    """The position of the replay's playhead at this tick, as m:ss."""
    seconds = tick * TICK_MS // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"


def event_ms(started_ms: int, waits: Iterable[Sequence[int]], tick: int) -> int:
    """The event time of a tick in epoch milliseconds: the start, the ticks before it, and the waits before it.

    waits: (tick, milliseconds) pairs.
    """
    return started_ms + tick * TICK_MS + sum(ms for at, ms in waits if at <= tick)


def fit_text(column: str, text: str) -> str:
    """The text as far as this column of Race holds it. PostgreSQL refuses a whole row for one text that is too long."""
    field = cast("models.CharField[str, str]", Race._meta.get_field(column))
    return text.replace("\0", "")[: field.max_length]


class RaceQuerySet(models.QuerySet["Race"]):
    """The transitions return whether a race was changed. A worker makes them on `held_by`, so a worker that has lost
    its lease changes nothing.
    """

    def active(self) -> RaceQuerySet:
        return self.filter(status__in=ACTIVE)

    def ended(self) -> RaceQuerySet:
        return self.exclude(status__in=ACTIVE)

    def unpublished(self) -> RaceQuerySet:
        """Races that still have ticks to publish, whoever holds them."""
        return self.active().filter(published_over=False)

    def held_by(self, owner: str, race_id: uuid.UUID) -> RaceQuerySet:
        """The race, while this worker holds its lease."""
        return self.filter(pk=race_id, lease_owner=owner)

    def seen_as(self, race_id: uuid.UUID, lease: LeaseState) -> RaceQuerySet:
        """The race, where nobody has touched its lease since it was read and ticks are left to publish."""
        owner, counter = lease
        return self.unpublished().filter(pk=race_id, lease_owner=owner, lease_counter=counter)

    def with_short_code(self, code: str) -> RaceQuerySet:
        """The races whose ids begin as the code says: nearly always one."""
        ids = ids_of(code)
        return self.filter(pk__range=ids).order_by("-created_at") if ids else self.none()

    def leases(self) -> dict[uuid.UUID, LeaseState]:
        """The lease of every race with ticks still to publish, oldest race first."""
        rows = self.unpublished().order_by("created_at").values_list("pk", "lease_owner", "lease_counter")
        return {pk: (owner, counter) for pk, owner, counter in rows}

    def queued(self, race_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        """Those of the races that no worker has begun, oldest first."""
        queued = self.filter(pk__in=list(race_ids), status=Race.Status.QUEUED)
        return list(queued.order_by("created_at").values_list("pk", flat=True))

    def stop_requests(self, race_ids: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, int | None]]:
        """Those of the races that somebody wants to stop, each with its stop tick where one is written already: the
        answer to that write may have been lost with the connection.
        """
        asked = self.filter(pk__in=list(race_ids), stop_requested=True)
        return list(asked.values_list("pk", "stop_tick"))

    def claim(self, race_id: uuid.UUID, owner: str, seen: LeaseState) -> bool:
        """Takes a lease by compare and swap: True where nobody has touched it since it was read as `seen`."""
        free = self.seen_as(race_id, seen)
        return bool(free.update(lease_owner=owner, lease_counter=F("lease_counter") + 1))

    def renew(self, owner: str, race_ids: set[uuid.UUID]) -> set[uuid.UUID]:
        """Renews a worker's leases. Returns the races whose lease it has lost."""
        leases = self.filter(pk__in=race_ids, lease_owner=owner)
        leases.update(lease_counter=F("lease_counter") + 1)
        return race_ids - set(leases.values_list("pk", flat=True))

    def explain_wait(self, why: str) -> None:
        """Says on the page why no worker takes the race."""
        why = fit_text("waiting_for", why)
        self.exclude(waiting_for=why).update(waiting_for=why)

    def begin(self, started_ms: int) -> bool:
        """Queued to running."""
        return bool(
            self.filter(status=Race.Status.QUEUED).update(
                status=Race.Status.RUNNING, started_ms=started_ms, reserved_tick=RESERVE, waiting_for=""
            )
        )

    def save_progress(self, published: int, reserved: int, lap: int, waiting_for: str) -> bool:
        why = fit_text("waiting_for", waiting_for)
        return bool(self.update(published_tick=published, reserved_tick=reserved, lap=lap, waiting_for=why))

    def save_waits(self, waits: list[list[int]]) -> bool:
        return bool(self.update(waits=waits))

    def request_stop(self) -> int:
        """Asks the worker for red flags. Returns in how many races; those that have ended stay as they are."""
        return self.active().update(stop_requested=True)

    def save_stop(self, tick: int) -> bool:
        """Writes at which tick the red flag comes, before that tick is published."""
        return bool(self.update(stop_tick=tick))

    def release(self, published: int, lap: int) -> None:
        """Gives the lease back, for any worker to go on."""
        self.update(lease_owner="", published_tick=published, waiting_for="", lap=lap)

    def finish_publishing(self, published: int, lap: int) -> bool:
        """The last tick is in Kafka. The race ends when the recorder has it."""
        return bool(
            self.update(
                published_tick=published, published_over=True, lease_owner="", waiting_for="", lap=lap
            )
        )

    def reopen(self) -> None:
        """Publishes again what Kafka lost and the history has not. Any worker may go on."""
        self.active().update(published_over=False, published_tick=F("recorded_tick"), lease_owner="")

    def save_recorded(self, tick: int, missing: int) -> None:
        self.update(recorded_tick=tick, missing_ticks=F("missing_ticks") + missing)

    def finish(self, status: str, lap: int) -> bool:
        """Running to finished or stopped, once the classification is written."""
        return bool(self.active().update(status=status, ended_at=timezone.now(), waiting_for="", lap=lap))

    def fail(self, reason: str) -> bool:
        """Queued or running to failed. A race fails for three reasons: its simulation raises, Kafka refuses its records
        for good, or Kafka has lost its last ticks again and again.
        """
        return bool(
            self.active().update(
                status=Race.Status.FAILED,
                status_reason=fit_text("status_reason", reason),
                ended_at=timezone.now(),
                published_over=True,
                lease_owner="",
                waiting_for="",
            )
        )


class Race(models.Model):
    """A race is a function of its settings, its seed and the model's version. The row also has how far it is published
    and recorded.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        FINISHED = "finished"
        STOPPED = "stopped"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    client = models.CharField(max_length=40, blank=True, help_text="the signed session that started it")
    classroom = models.ForeignKey(
        "races.Classroom", on_delete=models.SET_NULL, null=True, blank=True, related_name="races"
    )
    driver_code = models.CharField(max_length=3)
    driver_name = models.CharField(max_length=80)
    team_name = models.CharField(max_length=60)
    circuit = models.SlugField()
    circuit_name = models.CharField(max_length=80)
    laps = models.PositiveSmallIntegerField()
    pace = models.PositiveSmallIntegerField()
    seed = models.PositiveBigIntegerField()
    incidents = models.BooleanField(default=True)
    anomaly_detection = models.BooleanField(default=False)
    model_version = models.CharField(max_length=40)
    frozen = models.JSONField(default=dict, help_text="names, teams, colours and circuit as they were")

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED, db_index=True)
    status_reason = models.CharField(max_length=500, blank=True)
    waiting_for = models.CharField(max_length=200, blank=True, help_text="why no ticks come just now")
    stop_requested = models.BooleanField(default=False)
    stop_tick = models.IntegerField(null=True, blank=True, help_text="red-flagged at this tick")
    ended_at = models.DateTimeField(null=True, blank=True)

    lease_owner = models.CharField(max_length=40, blank=True)
    lease_counter = models.PositiveIntegerField(default=0)
    started_ms = models.BigIntegerField(null=True, blank=True, help_text="start instant, epoch milliseconds")
    waits = models.JSONField(default=list, help_text="[tick, milliseconds] pairs: waits before the tick")
    published_tick = models.IntegerField(default=-1, help_text="newest tick that the broker has whole")
    reserved_tick = models.IntegerField(default=-1, help_text="no worker has published beyond this tick")
    published_over = models.BooleanField(default=False)
    recorded_tick = models.IntegerField(default=-1)
    missing_ticks = models.PositiveIntegerField(default=0, help_text="ticks that never reached the recorder")
    lap = models.PositiveSmallIntegerField(default=0)

    objects = RaceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["status", "published_over"])]

    def __str__(self) -> str:
        return f"{self.circuit_name}, {self.laps} laps, {self.driver_code}"

    def get_absolute_url(self) -> str:
        return reverse("race", args=[self.id])

    @property
    def short_code(self) -> str:
        return short_code(self.id)

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def event_ms(self, tick: int) -> int:
        """The event time of a tick in epoch milliseconds. Raises TypeError before the start."""
        if self.started_ms is None:
            raise TypeError("a race that has not started has no event time")
        return event_ms(self.started_ms, self.waits, tick)

    def tick_at(self, ms: int) -> int:
        """The tick with this event time: the inverse of event_ms."""
        return bisect_left(range(max(self.recorded_tick, 0)), ms, key=self.event_ms)
