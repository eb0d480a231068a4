"""The circuit of a test that runs for every one."""

from __future__ import annotations

import pytest

from races.sim.circuits.circuit import Circuit, load_circuit


@pytest.fixture
def circuit(request: pytest.FixtureRequest) -> Circuit:
    return load_circuit(request.param)
