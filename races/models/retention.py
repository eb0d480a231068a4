"""Retention: which old races are deleted, what goes with them, and how."""

from __future__ import annotations

from races.models.race import Race, RaceQuerySet


def old_races(keep: int) -> RaceQuerySet:
    """All ended races but the newest `keep`."""
    old = Race.objects.ended().order_by("-created_at").values("pk")[keep:]
    return Race.objects.filter(pk__in=old)


def rows_to_delete(races: RaceQuerySet) -> dict[str, int]:
    """How many rows of each kind go with the races. They are counted, not loaded: a race has thousands."""
    chosen = Race.objects.filter(pk__in=races.order_by().values("pk"))
    counts = {str(Race._meta.verbose_name_plural): chosen.count()}
    for relation in Race._meta.related_objects:
        model = relation.related_model
        counts[str(model._meta.verbose_name_plural)] = model._default_manager.filter(race__in=chosen).count()
    return {name: count for name, count in counts.items() if count}


def delete_each(races: RaceQuerySet) -> int:
    """Deletes the ended ones of the races, in one transaction each, so that no lock is held for long. Returns how
    many.
    """
    ended = list(races.ended().values_list("pk", flat=True))
    for race_id in ended:
        Race.objects.filter(pk=race_id).delete()
    return len(ended)
