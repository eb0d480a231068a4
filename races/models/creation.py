"""Creation of races, for the form, the command line and the API: what may be chosen, and the limits."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from races.models.history import Entry
from races.models.race import Race
from races.models.race_info import entries_for, info_for
from races.sim import DEFAULT_PACE, MODEL_VERSION, circuit_slugs, default_laps, load_circuit, load_season

PACES = (1, 60)
DEFAULT_CIRCUIT = "monza"
SEEDS = 2**31
REPEAT_WITHIN = timedelta(seconds=10)
REPEATS = uuid.UUID("f1000000-0000-4000-8000-000000000001")  # any that is used for nothing else
CREATION_LOCK = 0x_F1_1A8  # any number that nothing else in the database locks


class LimitReached(Exception):
    """The message says which limit is reached, and what to do."""


class InvalidChoice(ValueError):
    """A choice is not allowed. field names it; the message says what is allowed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose. laps None: the circuit's sprint. seed None: a random one. anomaly_detection None: as the lab
    is configured.
    """

    driver: str
    circuit: str = DEFAULT_CIRCUIT
    laps: int | None = None
    pace: int = DEFAULT_PACE
    seed: int | None = None
    incidents: bool = True
    anomaly_detection: bool | None = None


def choice_errors(choice: Choice) -> dict[str, str]:
    """Field -> what is wrong with it and what is allowed, for every field that is wrong."""
    grid = [driver.code for driver in load_season().drivers]
    words = {
        "driver": choice.driver not in grid
        and f"No driver '{choice.driver}' on this grid; choose one of {', '.join(grid)}.",
        "circuit": choice.circuit not in circuit_slugs()
        and f"No circuit '{choice.circuit}'; choose one of {', '.join(circuit_slugs())}.",
        "laps": choice.laps is not None and _laps_fault(choice.circuit, choice.laps),
        "pace": not PACES[0] <= choice.pace <= PACES[1]
        and f"Pace goes from {PACES[0]} (real time) to {PACES[1]} race seconds a second.",
        "seed": choice.seed is not None
        and not 0 <= choice.seed < SEEDS
        and f"A seed is a whole number from 0 to {SEEDS - 1}.",
    }
    return {field: fault for field, fault in words.items() if fault}


def _laps_fault(slug: str, laps: int) -> str:
    """What is wrong with the laps. For an unknown circuit, what no circuit allows."""
    known = slug in circuit_slugs()
    distances = {
        load_circuit(one).laps: load_circuit(one).name for one in ([slug] if known else circuit_slugs())
    }
    most = max(distances)
    if 1 <= laps <= most:
        return ""
    where = f"the Grand Prix distance of {distances[most]}" if known else "and to less at most circuits"
    return f"Laps go from 1 to {most}, {where}."


def create_race(choice: Choice, client: str = "", once: str = "", *, classroom_id: int | None = None) -> Race:
    """Queues a race. `client` is the visitor's id, for the limits. Raises InvalidChoice or LimitReached, and writes
    nothing.

    `once` is the form's own mark: the same choice with the same mark within REPEAT_WITHIN is one press of a button that
    came twice, and gives the same race.
    """
    for field, words in choice_errors(choice).items():
        raise InvalidChoice(field, words)
    driver = next(driver for driver in load_season().drivers if driver.code == choice.driver)
    race = Race(
        id=_race_id(choice, client, once),
        client=client,
        driver_code=driver.code,
        driver_name=driver.name,
        team_name=driver.team,
        circuit=choice.circuit,
        circuit_name=load_circuit(choice.circuit).name,
        laps=default_laps(choice.circuit) if choice.laps is None else choice.laps,
        pace=choice.pace,
        seed=secrets.randbelow(SEEDS) if choice.seed is None else choice.seed,
        incidents=choice.incidents,
        anomaly_detection=anomalies_wanted(choice.anomaly_detection),
        classroom_id=classroom_id,
        model_version=MODEL_VERSION,
    )
    info = info_for(race)
    race.frozen = info.to_json()
    with transaction.atomic():
        # counting and creating are one step: another creation waits until this transaction ends. SQLite's
        # immediate transactions do that by themselves.
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CREATION_LOCK])
        before = Race.objects.filter(pk=race.pk).first()
        if before is not None:
            return before
        _check_limits(client)
        race.save(force_insert=True)
        Entry.objects.bulk_create(entries_for(race, info))
    return race


def anomalies_can_be_chosen() -> bool:
    """Whether a race can have engine readings though the lab is configured without, and the other way round. The
    embedded engine takes what comes; of Flink's statements that query runs or does not.
    """
    return settings.LAB.engine == "embedded"


def anomalies_wanted(chosen: bool | None) -> bool:
    configured = bool(settings.LAB.anomaly_detection)
    return configured if chosen is None or not anomalies_can_be_chosen() else chosen


def _race_id(choice: Choice, client: str, once: str) -> uuid.UUID:
    """The same id for one press of a button that came twice. Who goes back to a form later wants another race."""
    repeated = uuid.uuid5(REPEATS, f"{client} {once} {choice}")
    old = Race.objects.filter(pk=repeated, created_at__lt=timezone.now() - REPEAT_WITHIN)
    return repeated if client and once and not old.exists() else uuid.uuid4()


def _check_limits(client: str) -> None:
    active = Race.objects.active()
    limit, own = settings.F1_MAX_RACES, settings.F1_MAX_RACES_PER_CLIENT
    if limit and active.count() >= limit:
        raise LimitReached(
            f"{limit} races are running already, which is all that this lab takes. Try again soon."
        )
    if client and own and active.filter(client=client).count() >= own:
        raise LimitReached(f"You have {own} races running. Stop one, or let it finish, then start the next.")
