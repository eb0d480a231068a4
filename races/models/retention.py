"""Old history: what of it would go, and how it goes."""

from __future__ import annotations

from races.models.race import Race, RaceQuerySet


def old_races(keep: int) -> RaceQuerySet:
    """All that have ended but the newest `keep`."""
    old = Race.objects.ended().order_by("-created_at").values("pk")[keep:]
    return Race.objects.filter(pk__in=old)


def what_goes(races: RaceQuerySet) -> dict[str, int]:
    """How many rows of each kind the races take with them; counted, not loaded: a race has thousands."""
    chosen = Race.objects.filter(pk__in=races.order_by().values("pk"))
    counts = {str(Race._meta.verbose_name_plural): chosen.count()}
    for relation in Race._meta.related_objects:
        model = relation.related_model
        counts[str(model._meta.verbose_name_plural)] = model._default_manager.filter(race__in=chosen).count()
    return {name: count for name, count in counts.items() if count}


def delete_each(races: RaceQuerySet) -> int:
    """Those that have ended, one transaction each: a long history must not hold the lock for long."""
    ended = list(races.ended().values_list("pk", flat=True))
    for race_id in ended:
        Race.objects.filter(pk=race_id).delete()
    return len(ended)
