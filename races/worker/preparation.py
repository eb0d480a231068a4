"""From a claimed race to one that publishes: a new one from its first tick, one taken over from where it stood."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from races.models import Race
from races.sim import MODEL_VERSION, RaceSettings, load_season
from races.sim import Race as Simulation
from races.worker import store
from races.worker.analytics_runner import Analysis
from races.worker.backfill import Past
from races.worker.records import LAST_PHASE, field_of
from races.worker.running_race import LATE_S, Held

if TYPE_CHECKING:
    from races.lib.clock import Clocks

SLICE = 20  # ticks, some milliseconds


class ModelChanged(Exception):
    pass


def settings_of(race: Race) -> RaceSettings:
    return RaceSettings(
        circuit=race.circuit,
        laps=race.laps,
        pace=race.pace,
        seed=race.seed,
        incidents=race.incidents,
        faults=race.anomaly_detection,
    )


def prepare(
    race: Race,
    owner: str,
    clocks: Clocks,
    analysis: Analysis | None,
    metrics: bool = True,
    until_turn_s: Callable[[], float] = float,
) -> tuple[Held, Past | None] | None:
    """With a race taken over comes its past, where there are analytics. None where it was somebody else's meanwhile.
    Raises whatever the simulation raises.

    metrics: whether this lab has topics for engine readings. A race that began while it had goes on without.
    until_turn_s: how long its first tick waits so that it comes between those of other races.
    """
    race.refresh_from_db()
    if race.model_version != MODEL_VERSION:
        raise ModelChanged(
            f"it began with model {race.model_version}, and this is {MODEL_VERSION}; run it again to see it whole"
        )
    metrics = metrics and race.anomaly_detection
    sim = Simulation(settings_of(race), sensors=metrics)
    turn_s = until_turn_s()
    now, now_ms = clocks.monotonic(), round((clocks.wall() + turn_s) * 1000)
    fresh = race.started_ms is None
    if fresh and not store.start(owner, race, now_ms, sim.injected_faults()):
        return None
    started_ms = now_ms if race.started_ms is None else race.started_ms
    replay_until = -1 if fresh else race.reserved_tick
    held = _held(race, sim, started_ms, clocks, replay_until, metrics)
    past = None if fresh or analysis is None else Past(settings_of(race), held, analysis)
    if analysis is not None:
        analysis.begin(held, has_past=past is not None)
    if not fresh:
        _catch_up(race, held, clocks)
    held.due = max(now + turn_s, clocks.monotonic()) if fresh else clocks.monotonic() + until_turn_s()
    return held, past


def _held(
    race: Race, sim: Simulation, started_ms: int, clocks: Clocks, replay_until: int, metrics: bool
) -> Held:
    return Held(
        race_id=race.pk,
        sim=sim,
        field=field_of(str(race.pk), race.laps, load_season()),
        started_ms=started_ms,
        waits=[list(wait) for wait in race.waits],
        metrics=metrics,
        published=race.published_tick,
        replay_until=replay_until,
        reserved=race.reserved_tick,
        due=clocks.monotonic(),
        stop_tick=race.stop_tick,
        next_tick=race.published_tick + 1,
    )


def _catch_up(race: Race, held: Held, clocks: Clocks) -> None:
    """Silently to the last published tick. That may have been the race's last one: who published it did not live to
    say so.
    """
    for tick in range(SLICE, race.published_tick, SLICE):
        held.sim.skip_to(tick)
        time.sleep(0)  # hands the interpreter to the conductor: other races keep their time
    if race.published_tick >= 0:
        held.sim.skip_to(race.published_tick - 1)
        newest = held.simulated()
        held.over_sent, held.lap = (
            newest.phase == LAST_PHASE,
            max((car.lap for car in newest.cars), default=0),
        )
    if not held.over_sent:
        _wait_after_replay(race, held, clocks)


def _wait_after_replay(race: Race, held: Held, clocks: Clocks) -> None:
    """The time that nobody published becomes a wait before the first tick that certainly never went out. Its turn
    comes after those that go out again; without their time every later event would be as old from then on.
    """
    tick = held.replay_until + 1
    turn_ms = round(clocks.wall() * 1000) + (tick - held.next_tick) * 200
    behind_ms = turn_ms - held.event_ms(tick)
    if behind_ms > LATE_S * 1000:
        waits = [*held.waits, [tick, behind_ms]]
        if store.save_waits(race.lease_owner, race.pk, waits):
            held.waits = waits
