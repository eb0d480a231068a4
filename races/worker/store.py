"""All that a worker reads and writes in the database. Every write is bound to the lease."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import cast

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from races.models import ACTIVE, InjectedFault, Race, WorkerHeartbeat
from races.sim import InjectedFault as PlannedFault
from races.worker.running_race import RESERVE, Held


def told(column: str, words: str) -> str:
    """Words for people, as far as the race's column holds them: PostgreSQL refuses the whole row otherwise, and what
    an error says may be of any length.
    """
    field = cast("models.CharField[str, str]", Race._meta.get_field(column))
    return words.replace("\0", "")[: field.max_length]


def heartbeat(owner: str, held: Iterable[uuid.UUID], state: str) -> set[uuid.UUID]:
    """Renews the leases and says which of them are lost."""
    ids = set(held)
    with transaction.atomic():
        leases = Race.objects.filter(pk__in=ids, lease_owner=owner)
        leases.update(lease_counter=F("lease_counter") + 1)
        WorkerHeartbeat.objects.update_or_create(
            owner=owner, defaults={"seen_at": timezone.now(), "races": len(ids), "state": state}
        )
        return ids - set(leases.values_list("pk", flat=True))


def leases() -> dict[uuid.UUID, tuple[str, int]]:
    """(owner, counter) of every race with ticks still to publish, oldest first."""
    rows = Race.objects.unpublished().order_by("created_at").values_list("pk", "lease_owner", "lease_counter")
    return {pk: (owner, counter) for pk, owner, counter in rows}


def start(owner: str, race: Race, now_ms: int, faults: Iterable[PlannedFault]) -> bool:
    """Queued to running, with the start instant and the ground truth that no stream carries."""
    with transaction.atomic():
        row = Race.objects.filter(pk=race.pk, lease_owner=owner, status=Race.Status.QUEUED)
        values = {
            "status": Race.Status.RUNNING,
            "started_ms": now_ms,
            "reserved_tick": RESERVE,
            "waiting_for": "",
        }
        if not row.update(**values):
            return False
        InjectedFault.objects.bulk_create(
            [
                InjectedFault(
                    race=race,
                    driver_code=fault.driver_code,
                    kind=fault.kind,
                    start_tick=fault.start_tick,
                    end_tick=fault.end_tick,
                    size_c=fault.size_c,
                )
                for fault in faults
            ],
            ignore_conflicts=True,
        )
    race.status, race.started_ms, race.reserved_tick = Race.Status.RUNNING, now_ms, RESERVE
    return True


def save_progress(owner: str, held: Held, reserve: int) -> bool:
    """Where publishing stands; false where the lease is lost."""
    published, words = held.published, held.waiting_for
    changed = Race.objects.filter(pk=held.race_id, lease_owner=owner).update(
        published_tick=published, reserved_tick=reserve, waiting_for=told("waiting_for", words), lap=held.lap
    )

    def saved() -> None:
        held.saved_words, held.reserved = words, reserve

    if changed:
        transaction.on_commit(saved)  # what is rolled back was never reserved
    return bool(changed)


def tell(race_id: uuid.UUID, seen: tuple[str, int], words: str) -> None:
    """Why we do not take a race that nobody holds; silently nothing where somebody does meanwhile."""
    words = told("waiting_for", words)
    free = Race.objects.unpublished().filter(pk=race_id, lease_owner=seen[0], lease_counter=seen[1])
    free.exclude(waiting_for=words).update(waiting_for=words)


def save_waits(owner: str, race_id: uuid.UUID, waits: list[list[int]]) -> bool:
    return bool(Race.objects.filter(pk=race_id, lease_owner=owner).update(waits=waits))


def save_stop(owner: str, race_id: uuid.UUID, tick: int) -> bool:
    return bool(Race.objects.filter(pk=race_id, lease_owner=owner).update(stop_tick=tick))


def stop_requests(held: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, int | None]]:
    """With the tick where one is written already: its answer may have been lost with the connection."""
    asked = Race.objects.filter(pk__in=list(held), stop_requested=True)
    return list(asked.values_list("pk", "stop_tick"))


def finish_publishing(owner: str, held: Held) -> bool:
    return bool(
        Race.objects.filter(pk=held.race_id, lease_owner=owner).update(
            published_tick=held.published, published_over=True, lease_owner="", waiting_for="", lap=held.lap
        )
    )


def fail(owner: str, race_id: uuid.UUID, reason: str) -> None:
    Race.objects.filter(pk=race_id, lease_owner=owner, status__in=ACTIVE).update(
        status=Race.Status.FAILED,
        status_reason=told("status_reason", reason),
        ended_at=timezone.now(),
        published_over=True,
        lease_owner="",
        waiting_for="",
    )


def release(owner: str, held: Iterable[Held]) -> None:
    for race in held:
        if not race.lost:
            Race.objects.filter(pk=race.race_id, lease_owner=owner).update(
                lease_owner="", published_tick=race.published, waiting_for="", lap=race.lap
            )
    Race.objects.filter(lease_owner=owner).update(lease_owner="")
    WorkerHeartbeat.objects.filter(owner=owner).delete()


def release_all() -> None:
    """For the one process that owns an embedded Kafka: whoever held a race before is gone with its broker. What
    that broker had and the history has not is published again, whole races included.
    """
    Race.objects.active().update(lease_owner="", published_over=False, published_tick=F("recorded_tick"))
    WorkerHeartbeat.objects.all().delete()
