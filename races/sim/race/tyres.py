"""Dry compounds: what a lap on them costs, by age.

Linear in age, as Heilmeier et al. fit it, with coefficients inside the quartiles of their 2019 races; beyond its
life a tyre falls off a cliff. Ages are in laps of a full Grand Prix on a 5.3 km lap: a shorter race wears its
tyres faster in proportion, so that strategy decides it just as well.
"""

from dataclasses import dataclass

COLD_S = 1.0  # on the out-lap


@dataclass(frozen=True, slots=True)
class Compound:
    name: str
    base_s: float  # fresh, against a fresh soft
    wear_s: float  # a lap of age
    life: float  # laps of age to the cliff


COMPOUNDS = (
    Compound("SOFT", 0.0, 0.090, 21.0),
    Compound("MEDIUM", 0.35, 0.055, 32.0),
    Compound("HARD", 0.70, 0.035, 44.0),
)
SOFT, MEDIUM, HARD = range(3)
CLIFF_S = 0.015  # a lap, by the square of the laps beyond its life
REFERENCE_M = 5300.0


@dataclass(frozen=True, slots=True)
class TyreModel:
    """rate: laps of age that a lap of this race costs; scale: to this circuit's lap time."""

    rate: float
    scale: float

    def loss(self, compound: int, age: float) -> float:
        tyre = COMPOUNDS[compound]
        over = age - tyre.life
        loss = tyre.base_s + tyre.wear_s * age
        return self.scale * (loss + CLIFF_S * over * over if over > 0.0 else loss)

    def stint(self, compound: int, laps: int, age: float = 0.0) -> float:
        """Seconds lost by `laps` laps on a tyre that begins at `age`: the sum of their losses, in closed form."""
        tyre, rate = COMPOUNDS[compound], self.rate
        total = laps * (tyre.base_s + tyre.wear_s * (age + rate * (laps - 1) / 2))
        over = age + rate * (laps - 1) - tyre.life
        if over > 0.0:
            total += CLIFF_S * over * (over + rate) * (2 * over + rate) / (6 * rate)
        return self.scale * total
