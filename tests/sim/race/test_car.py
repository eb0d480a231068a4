"""A car and its sets of tyres."""

from statistics import mean, stdev

import pytest

from tests.fakes.engine import field_of


def test_every_set_of_tyres_differs() -> None:
    car = field_of(1).cars[0]
    found = []
    for _ in range(400):
        car.fit(1)
        found.append(car.set_s)
    assert abs(mean(found)) < 0.03
    assert stdev(found) == pytest.approx(0.18 * car.team.swing, rel=0.15)
