"""A race's life and its history. Rules about races sit here, on models and querysets."""

from __future__ import annotations

import uuid
from bisect import bisect_left

from django.db import models
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from races.models.short_code import ids_of, join_code

TICK_MS = 200
ACTIVE = ("queued", "running")


def moment(tick: int) -> str:
    """Where the replay's playhead stands then, as m:ss."""
    seconds = tick * TICK_MS // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"


class RaceQuerySet(models.QuerySet["Race"]):
    def active(self) -> RaceQuerySet:
        return self.filter(status__in=ACTIVE)

    def ended(self) -> RaceQuerySet:
        return self.exclude(status__in=ACTIVE)

    def unpublished(self) -> RaceQuerySet:
        """Races that still have ticks to publish, whoever may hold them."""
        return self.active().filter(published_over=False)

    def joined_by(self, code: str) -> RaceQuerySet:
        """The races whose ids begin as the code says: one, but for chance."""
        ids = ids_of(code)
        return self.filter(pk__range=ids).order_by("-created_at") if ids else self.none()

    def claim(self, race_id: uuid.UUID, owner: str, seen: tuple[str, int]) -> bool:
        """Compare and swap: true where nobody has touched the lease since (owner, counter) was seen."""
        free = self.unpublished().filter(pk=race_id, lease_owner=seen[0], lease_counter=seen[1])
        return bool(free.update(lease_owner=owner, lease_counter=F("lease_counter") + 1))


class Race(models.Model):
    """One race: a function of its settings, its seed and the model's version, plus where its publishing stands."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        FINISHED = "finished"
        STOPPED = "stopped"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    client = models.CharField(max_length=40, blank=True, help_text="the signed session that started it")
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
    def join_code(self) -> str:
        return join_code(self.id)

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def event_ms(self, tick: int) -> int:
        """A tick's event time in epoch milliseconds. Raises TypeError before the start."""
        if self.started_ms is None:
            raise TypeError("a race that has not started has no event time")
        return int(self.started_ms + tick * TICK_MS + sum(ms for at, ms in self.waits if at <= tick))

    def tick_at(self, ms: int) -> int:
        """The inverse of event_ms, for an instant that a tick of the race has."""
        return bisect_left(range(max(self.recorded_tick, 0)), ms, key=self.event_ms)

    @property
    def duration_s(self) -> float | None:
        return None if self.recorded_tick < 0 else (self.recorded_tick + 1) * TICK_MS / 1000
