"""A class: one set-up for a room, who is in it, and who picked whom in each of its races.

A class race is one race, published once. Thirty people watch it, each from the driver that they picked; a pick is
fixed when the race is entered.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from races.lib.names import LONGEST, clean_name, look
from races.models.creation import Choice, LimitReached, create_race
from races.models.race import Race
from races.models.short_code import LENGTH, LETTERS
from races.sim import DEFAULT_PACE, load_circuit, load_season

MEMBERS, CLASSES = 100, 50  # names in a class; classes of a lab
SEEDS_KEPT = 12
HERE_FOR = timedelta(seconds=30)
OTHERWISE = "NOR"  # the driver of a race in which nobody has picked one


class ClassFull(LimitReached):
    """Nobody else can join. The message says why."""


def new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


class Classroom(models.Model):
    """The set-up of a class. `seeds` is a series: each race takes the next one, and any where there is none left."""

    code = models.CharField(max_length=LENGTH, unique=True, default=new_code, editable=False)
    client = models.CharField(max_length=40, help_text="the signed session of whoever made it")
    created_at = models.DateTimeField(default=timezone.now)
    circuit = models.SlugField()
    laps = models.PositiveSmallIntegerField(null=True, blank=True)
    pace = models.PositiveSmallIntegerField(default=DEFAULT_PACE)
    seeds = models.JSONField(default=list, blank=True)
    incidents = models.BooleanField(default=True)
    anomaly_detection = models.BooleanField(default=False)
    is_open = models.BooleanField(default=True, help_text="people can join")
    members_only = models.BooleanField(default=False, help_text="only its members start races of their own")

    class Meta:
        verbose_name_plural = "classes"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"class {self.code}, {self.circuit_name}"

    def get_absolute_url(self) -> str:
        return reverse("class", args=[self.code])

    @property
    def circuit_name(self) -> str:
        return load_circuit(self.circuit).name

    @property
    def race(self) -> Race | None:
        """The newest race of the class."""
        return self.races.defer("frozen").first()

    def seed_of_race(self, number: int) -> int | None:
        """The seed of the race with this number, counted from 0; None: a random one."""
        return self.seeds[number] if number < len(self.seeds) else None


class Member(models.Model):
    """Somebody in a class: a name, a driver and a signed session, and no other data of a person.

    look: the name as it looks, so that no two can be mistaken for each other. part: the page of the guide that was
    opened last. removed: by the teacher; the session cannot join again, and its name is forgotten.
    """

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="members")
    client = models.CharField(max_length=40, db_index=True)
    name = models.CharField(max_length=LONGEST)
    look = models.CharField(max_length=4 * LONGEST)
    driver_code = models.CharField(max_length=3)
    seen_at = models.DateTimeField(default=timezone.now)
    part = models.CharField(max_length=40, blank=True)
    removed = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["classroom", "client"], name="member_session"),
            models.UniqueConstraint(
                fields=["classroom", "look"], condition=Q(removed=False), name="member_look"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_here(self) -> bool:
        return timezone.now() - self.seen_at < HERE_FOR


class Pick(models.Model):
    """Whom a member picked in a race of the class."""

    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="picks")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="picks")
    driver_code = models.CharField(max_length=3)

    class Meta:
        ordering = ["driver_code"]
        constraints = [models.UniqueConstraint(fields=["race", "member"], name="pick_identity")]

    def __str__(self) -> str:
        return f"{self.member.name}: {self.driver_code}"


def make_class(choice: Choice, client: str, seeds: list[int], members_only: bool = False) -> Classroom:
    """Makes a class with the choice's set-up. Raises LimitReached."""
    if Classroom.objects.count() >= CLASSES:
        raise LimitReached(f"This lab has {CLASSES} classes already. Delete an old one first.")
    return Classroom.objects.create(
        client=client,
        circuit=choice.circuit,
        laps=choice.laps,
        pace=choice.pace,
        seeds=seeds[:SEEDS_KEPT],
        incidents=choice.incidents,
        anomaly_detection=bool(choice.anomaly_detection),
        members_only=members_only,
    )


def join(classroom: Classroom, client: str, name: str, driver: str) -> Member:
    """Joins a class, or changes one's own name and driver in it.

    Raises BadName, LimitReached where nobody can join, and ValidationError for a name that somebody has, or for a
    driver who is not on the grid.
    """
    kept = clean_name(name)
    if driver not in {one.code for one in load_season().drivers}:
        raise ValidationError("Choose a driver of the grid.")
    member = classroom.members.filter(client=client).first()
    if member is not None and member.removed:
        raise ClassFull("The teacher has taken this browser off the list.")
    if member is None and not classroom.is_open:
        raise ClassFull("The teacher has closed the entry.")
    if member is None and classroom.members.count() >= MEMBERS:
        raise ClassFull(f"The class is full: {MEMBERS} people.")
    values = {"name": kept, "look": look(kept), "driver_code": driver, "seen_at": timezone.now()}
    try:
        with transaction.atomic():
            return classroom.members.update_or_create(client=client, defaults=values)[0]
    except IntegrityError:
        raise ValidationError(
            "Somebody here has that name, or one that looks like it. Add a letter."
        ) from None


def remove(member: Member) -> None:
    """Takes a member off the list and forgets the name."""
    member.name = member.look = ""
    member.removed = True
    member.save(update_fields=["name", "look", "removed"])


def start_class_race(classroom: Classroom, once: str = "") -> Race:
    """Enters the class's next race, with everybody's pick. Raises LimitReached.

    While a race of the class is on, that one is meant: who presses twice starts one.
    """
    with transaction.atomic():
        # the row is locked, so that two presses count the races one after the other
        Classroom.objects.select_for_update().get(pk=classroom.pk)
        on = classroom.races.active().first()
        if on is not None:
            return on
        members = list(classroom.members.filter(removed=False))
        choice = Choice(
            most_picked([member.driver_code for member in members]),
            classroom.circuit,
            classroom.laps,
            classroom.pace,
            classroom.seed_of_race(classroom.races.count()),
            classroom.incidents,
            classroom.anomaly_detection,
        )
        race = create_race(choice, classroom.client, once, classroom_id=classroom.pk)
        picks = [Pick(race=race, member=member, driver_code=member.driver_code) for member in members]
        Pick.objects.bulk_create(picks, ignore_conflicts=True)
    return race


def most_picked(codes: Collection[str]) -> str:
    """The driver that most people picked, whose line a race's page shows to who has none."""
    return max(sorted(set(codes)), key=list(codes).count, default=OTHERWISE)


def saw(client: str, part: str | None = None) -> None:
    """Notes that a visitor is here, and at which part of the guide; nothing for who is in no class."""
    values = {"seen_at": timezone.now()} | ({} if part is None else {"part": part[:40]})
    Member.objects.filter(client=client, removed=False).update(**values)


def may_start(client: str) -> bool:
    """Whether a visitor may start a race of one's own: where a class is for members only, only they may, and who made
    it.
    """
    closed = Classroom.objects.filter(members_only=True)
    own = Q(client=client) | Q(members__client=client, members__removed=False)
    return not closed.exists() or closed.filter(own).exists()


def names_of(clients: Collection[str]) -> dict[str, str]:
    """The names that visitors go by, from the class that each joined last."""
    rows = Member.objects.filter(client__in=clients, removed=False).order_by("pk")
    return dict(rows.values_list("client", "name"))
