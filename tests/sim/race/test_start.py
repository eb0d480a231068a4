"""The first corners, before the race has sorted itself."""

from statistics import mean

import pytest

from races.sim.race.start import JOSTLE_S
from tests.fakes.engine import field_of


def test_the_pack_loses_time_in_turn_one() -> None:
    fields = [field_of(seed) for seed in range(12)]
    lost = {place: mean(f.cars[f.order[place]].owes_s for f in fields) for place in range(22)}
    assert lost[0] == 0.0 < lost[1]
    assert mean(lost[place] for place in range(8, 22)) == pytest.approx(JOSTLE_S, rel=0.25)
