"""A copy of the season's data files in the database, for the admin to show. The files are the truth."""

from __future__ import annotations

from django.db import models, transaction

from races.sim import circuit_slugs, load_circuit, load_season


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


def sync_season(using: str = "default") -> None:
    """Makes the rows equal to the files, and deletes rows that the files no longer have. Idempotent."""
    season = load_season()
    with transaction.atomic(using=using):
        teams = {}
        for team in season.teams:
            values = {"colour": team.colour, "engine": team.engine}
            teams[team.name], _ = Team.objects.using(using).update_or_create(name=team.name, defaults=values)
        for driver in season.drivers:
            Driver.objects.using(using).update_or_create(
                code=driver.code,
                defaults={"name": driver.name, "number": driver.number, "team": teams[driver.team]},
            )
        Driver.objects.using(using).exclude(code__in=[driver.code for driver in season.drivers]).delete()
        Team.objects.using(using).exclude(name__in=teams).delete()
        for slug in circuit_slugs():
            circuit = load_circuit(slug)
            Circuit.objects.using(using).update_or_create(
                slug=slug,
                defaults={
                    "name": circuit.name,
                    "country": circuit.country,
                    "length_m": round(circuit.length_m),
                    "laps": circuit.laps,
                    "turns": circuit.turns,
                },
            )
        Circuit.objects.using(using).exclude(slug__in=circuit_slugs()).delete()
