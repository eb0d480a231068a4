"""How long a race of the lab is."""

from races.sim.circuits.circuit import load_circuit

TWO_COMPOUNDS_FROM = 8  # laps: below, a race is over before a stop could be made up
DEFAULT_PACE = 12
DEFAULT_WALL_S = 86.5  # from the first light to the last flag
LIGHTS_S, TAIL_S = 6.2, 5.0  # of it before the start, and after the winner is home
LAP_OVER_REFERENCE_S = 3.0  # what fuel, tyres and traffic add to the fastest lap on the average


def default_laps(slug: str) -> int:
    """Laps of this circuit that take 75 to 100 s of wall time at the default pace."""
    seconds = (DEFAULT_WALL_S - LIGHTS_S - TAIL_S) * DEFAULT_PACE
    return round(seconds / (load_circuit(slug).model_lap_s + LAP_OVER_REFERENCE_S))
