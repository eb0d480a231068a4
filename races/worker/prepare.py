"""From a claimed race to one that publishes: a new one from its first tick, one taken over from where it stood."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from races.models import Race
from races.sim import MODEL_VERSION, RaceSettings, load_season
from races.sim import Race as Simulation
from races.worker import store
from races.worker.analysis import Analysis
from races.worker.held import LATE_S, Held
from races.worker.records import LAST_PHASE, field_of, tick_records

if TYPE_CHECKING:
    from races.worker.worker import Clocks

# The dead worker's analytics may have been this far behind its publishing; what they derived comes again and is
# recognised by its identity.
REPEAT_TICKS = 25


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


def prepare(race: Race, owner: str, clocks: Clocks, analysis: Analysis | None) -> Held | None:
    """None where the race was somebody else's meanwhile. Raises whatever the simulation raises."""
    race.refresh_from_db()
    if race.model_version != MODEL_VERSION:
        raise ModelChanged(
            f"it began with model {race.model_version}, and this is {MODEL_VERSION}; run it again to see it whole"
        )
    sim = Simulation(settings_of(race), sensors=race.anomaly_detection)
    now_ms = round(clocks.wall() * 1000)
    fresh = race.started_ms is None
    if fresh and not store.start(owner, race, now_ms, sim.injected_faults()):
        return None
    started_ms = now_ms if race.started_ms is None else race.started_ms
    held = _held(race, sim, started_ms, clocks, replay_until=-1 if fresh else race.reserved_tick)
    if analysis is not None:
        analysis.begin(held)
    if not fresh:
        _catch_up(race, held, clocks, analysis)
    held.due = clocks.monotonic()
    return held


def _held(race: Race, sim: Simulation, started_ms: int, clocks: Clocks, replay_until: int) -> Held:
    return Held(
        race_id=race.pk,
        sim=sim,
        field=field_of(str(race.pk), race.laps, load_season()),
        started_ms=started_ms,
        waits=[list(wait) for wait in race.waits],
        metrics=race.anomaly_detection,
        published=race.published_tick,
        replay_until=replay_until,
        reserved=race.reserved_tick,
        due=clocks.monotonic(),
        stop_tick=race.stop_tick,
        next_tick=race.published_tick + 1,
    )


def _catch_up(race: Race, held: Held, clocks: Clocks, analysis: Analysis | None) -> None:
    """Silently to the last published tick; the analytics' state is a fold over the same records.

    That may have been the race's last one: who published it did not live to say so.
    """
    for number in range(race.published_tick + 1):
        tick = held.simulated()
        held.over_sent, held.lap = tick.phase == LAST_PHASE, max((car.lap for car in tick.cars), default=0)
        if analysis is not None:
            records = tick_records(held.field, tick, held.event_ms(number), held.metrics)
            analysis.rebuild(held, records, emit=number > race.published_tick - REPEAT_TICKS)
        time.sleep(0)  # hands the interpreter to the conductor: other races keep their time
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
