"""A race's life and its history. Rules about races sit here, on models and querysets."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from races.join_code import ids_of, join_code

TICK_MS = 200
ACTIVE = ("queued", "running")


class Team(models.Model):
    name = models.CharField(max_length=60, unique=True)
    colour = models.CharField(max_length=7)
    engine = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Driver(models.Model):
    code = models.CharField(max_length=3, unique=True)
    name = models.CharField(max_length=80)
    number = models.PositiveSmallIntegerField()
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="drivers")

    class Meta:
        ordering = ["team__name", "name"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Circuit(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    country = models.CharField(max_length=60, blank=True)
    length_m = models.PositiveIntegerField()
    laps = models.PositiveSmallIntegerField(help_text="Grand Prix distance")
    turns = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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

    @property
    def duration_s(self) -> float | None:
        return None if self.recorded_tick < 0 else (self.recorded_tick + 1) * TICK_MS / 1000


class Entry(models.Model):
    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="entries")
    driver_code = models.CharField(max_length=3)
    driver_name = models.CharField(max_length=80)
    number = models.PositiveSmallIntegerField()
    team_name = models.CharField(max_length=60)
    colour = models.CharField(max_length=7)
    own = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [models.UniqueConstraint(fields=["race", "driver_code"], name="entry_identity")]

    def __str__(self) -> str:
        return f"{self.driver_code} {self.driver_name}"


class Lap(models.Model):
    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="lap_set")
    driver_code = models.CharField(max_length=3)
    lap = models.PositiveSmallIntegerField()
    time_s = models.FloatField(null=True)
    sector_1_s = models.FloatField(null=True)
    sector_2_s = models.FloatField(null=True)
    sector_3_s = models.FloatField(null=True)
    position = models.PositiveSmallIntegerField()
    gap_s = models.FloatField(null=True)
    tyre = models.CharField(max_length=6)
    tyre_age = models.PositiveSmallIntegerField(default=0)
    tick = models.IntegerField()

    class Meta:
        ordering = ["lap", "position"]
        constraints = [models.UniqueConstraint(fields=["race", "driver_code", "lap"], name="lap_identity")]

    def __str__(self) -> str:
        return f"{self.driver_code} lap {self.lap}"


class Result(models.Model):
    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="results")
    position = models.PositiveSmallIntegerField()
    grid = models.PositiveSmallIntegerField(default=0)
    driver_code = models.CharField(max_length=3)
    driver_name = models.CharField(max_length=80)
    team_name = models.CharField(max_length=60)
    gap_s = models.FloatField(null=True)
    interval_s = models.FloatField(null=True)
    laps_down = models.PositiveSmallIntegerField(default=0)
    last_lap_s = models.FloatField(null=True)
    best_lap_s = models.FloatField(null=True)
    average_speed_kmh = models.FloatField(null=True)
    tyre = models.CharField(max_length=6, blank=True)
    stints = models.CharField(max_length=80, blank=True)
    stops = models.PositiveSmallIntegerField(default=0)
    laps = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["race", "driver_code"], name="result_identity")]

    def __str__(self) -> str:
        return f"P{self.position} {self.driver_code}"


class ControlMessage(models.Model):
    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="control")
    event = models.IntegerField(help_text="ordinal within the race; a digest where the record has none")
    tick = models.IntegerField(db_index=True)
    timestamp = models.BigIntegerField()
    type = models.CharField(max_length=30)
    driver_code = models.CharField(max_length=3, blank=True)
    other_code = models.CharField(max_length=3, blank=True)
    lap = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField(default=0)
    value = models.FloatField(null=True)
    message = models.CharField(max_length=300)

    class Meta:
        ordering = ["tick", "id"]
        constraints = [models.UniqueConstraint(fields=["race", "tick", "event"], name="control_identity")]

    def __str__(self) -> str:
        return self.message


class CommentaryLine(models.Model):
    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="commentary")
    identity = models.CharField(max_length=120)
    timestamp = models.BigIntegerField(db_index=True)
    type = models.CharField(max_length=10)
    message = models.CharField(max_length=500)

    class Meta:
        ordering = ["timestamp", "id"]
        constraints = [models.UniqueConstraint(fields=["race", "identity"], name="commentary_identity")]

    def __str__(self) -> str:
        return self.message


class Alarm(models.Model):
    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="alarms")
    driver_code = models.CharField(max_length=40, help_text="or a team's name, where its rows name no car")
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField(null=True)
    severity = models.CharField(max_length=10)
    kind = models.CharField(max_length=30, blank=True)
    direction = models.CharField(max_length=10, blank=True)
    size_c = models.FloatField(null=True)
    reading = models.FloatField(null=True)

    class Meta:
        ordering = ["start_ms"]
        constraints = [
            models.UniqueConstraint(fields=["race", "driver_code", "kind", "start_ms"], name="alarm_identity")
        ]

    def __str__(self) -> str:
        return f"{self.driver_code} {self.severity}"


class InjectedFault(models.Model):
    """Ground truth: what was put into an engine's readings. Never in a stream that detectors read."""

    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="faults")
    driver_code = models.CharField(max_length=3)
    kind = models.CharField(max_length=30)
    start_tick = models.IntegerField()
    end_tick = models.IntegerField()
    size_c = models.FloatField()

    class Meta:
        ordering = ["start_tick"]
        constraints = [
            models.UniqueConstraint(fields=["race", "driver_code", "start_tick"], name="fault_identity")
        ]

    def __str__(self) -> str:
        return f"{self.driver_code} {self.kind}"


class BoardChunk(models.Model):
    """Frames of some consecutive ticks, compressed (races.recorder.chunks has the format)."""

    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="chunks")
    first_tick = models.IntegerField()
    last_tick = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["first_tick"]
        constraints = [models.UniqueConstraint(fields=["race", "first_tick"], name="chunk_identity")]

    def __str__(self) -> str:
        return f"ticks {self.first_tick} to {self.last_tick}"


class ReadingChunk(models.Model):
    """Engine readings with what the detector said of them, in the order of their arrival, compressed."""

    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="reading_chunks")
    data = models.BinaryField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"readings {self.pk}"


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
