"""What learners wrote into the guide's boxes, and whether it was right."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from races.models.race import Race


class Answer(models.Model):
    """The newest answer of a visitor to one exercise. done stays, whatever is tried after it.

    tick: how far the race was when a guess was made. words: what the check said.
    """

    client = models.CharField(max_length=40)
    exercise = models.CharField(max_length=20)
    race = models.ForeignKey(Race, on_delete=models.CASCADE, null=True, blank=True, related_name="answers")
    given = models.CharField(max_length=80)
    tick = models.IntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    score = models.PositiveSmallIntegerField(default=0)
    done = models.BooleanField(default=False)
    words = models.CharField(max_length=500, blank=True)
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "exercise"], name="answer_identity")]

    def __str__(self) -> str:
        return f"{self.exercise}: {self.given}"
