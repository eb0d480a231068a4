"""What the recorder keeps of a race: entries, laps, results, messages, alarms and the frames of its board."""

from __future__ import annotations

from django.db import models

from races.board.stints import spelled
from races.models.race import Race


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

    @property
    def all_stints(self) -> str:
        """The stints as every page and file has them: M 1–13, H 14–20."""
        return spelled(self.stints, self.laps)


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
    drivers = models.JSONField(default=list, blank=True)  # codes of those of whom the line speaks

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
    """Frames of some consecutive ticks, compressed (races.board.storage has the format)."""

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
