"""The modelled race: a deterministic function of its settings, the data files and the model's version."""

from races.sim.circuits.circuit import Circuit, circuit_slugs, load_circuit
from races.sim.circuits.lane import stop_cost_s
from races.sim.distance import DEFAULT_PACE, TWO_COMPOUNDS_FROM, default_laps
from races.sim.faults import InjectedFault
from races.sim.race.simulation import Race
from races.sim.records import CarState, Classified, Event, Tick
from races.sim.season import MODEL_VERSION, Driver, Season, Team, load_season
from races.sim.settings import TICK_MS, TICK_S, RaceSettings

__all__ = [
    "DEFAULT_PACE",
    "MODEL_VERSION",
    "TICK_MS",
    "TICK_S",
    "TWO_COMPOUNDS_FROM",
    "CarState",
    "Circuit",
    "Classified",
    "Driver",
    "Event",
    "InjectedFault",
    "Race",
    "RaceSettings",
    "Season",
    "Team",
    "Tick",
    "circuit_slugs",
    "default_laps",
    "load_circuit",
    "load_season",
    "stop_cost_s",
]
