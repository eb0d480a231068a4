"""Tests of the stretches where cars pass and tow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.sim.circuits.circuit import Circuit, Zone, load_circuit
from races.sim.circuits.zones import passing, straights
from tests.sim.circuits.published import PUBLISHED, every_circuit

circuits = st.sampled_from(list(PUBLISHED)).map(load_circuit)


@every_circuit
def test_passing_and_towing_need_straights(circuit: Circuit) -> None:
    assert 1 <= len(circuit.overtaking) <= 4
    assert circuit.slipstream
    for zone in circuit.overtaking:
        into = circuit.speed_kmh(zone.end_tau, circuit.model_lap_s)
        fastest = max(circuit.speed_kmh(tau, circuit.model_lap_s) for tau in _within(zone))
        assert fastest - into > 75
    for zone in circuit.slipstream:
        assert min(circuit.speed_kmh(tau, circuit.model_lap_s) for tau in _within(zone)) > 190


def _within(zone: Zone) -> list[float]:
    span = (zone.end_tau - zone.start_tau) % 1.0
    return [(zone.start_tau + span * n / 20) % 1.0 for n in range(21)]


@every_circuit
def test_zones_agree_in_time_and_distance(circuit: Circuit) -> None:
    for zone in (*circuit.overtaking, *circuit.slipstream):
        assert circuit.tau(zone.start) == pytest.approx(zone.start_tau, abs=1e-3)
        assert circuit.tau(zone.end) == pytest.approx(zone.end_tau, abs=1e-3)
    assert circuit.tau(circuit.detection) == pytest.approx(circuit.detection_tau, abs=1e-3)
    assert 0 < circuit.sectors[0] < circuit.sectors[1] < 1
    assert circuit.distance_share(circuit.sectors_tau[0]) == pytest.approx(circuit.sectors[0], abs=1e-3)


@given(circuits, st.floats(0, 1))
def test_a_zone_may_cross_the_line(circuit: Circuit, tau: float) -> None:
    for zone in circuit.overtaking:
        start, end = zone.start_tau, zone.end_tau
        expected = start <= tau <= end if start <= end else tau >= start or tau <= end
        if min(abs(tau - start), abs(tau - end)) > 1e-9 and tau < 1:
            assert zone.contains_tau(tau) == expected


def test_without_braking_the_longest_pull_passes() -> None:
    speeds = [50.0] * 20 + [50 + n for n in range(15)] + [65 - n for n in range(15)]
    pulls = straights(speeds, 5.0)
    assert len(pulls) == 1
    assert len(passing(pulls, len(speeds))) == 1
