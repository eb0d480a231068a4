"""A lent environment that can never get a Schema Registry."""

from __future__ import annotations

import pytest

from provisioning.errors import Refused
from tests.fakes import standin_fixtures
from tests.fakes.laptop import Laptop, desired_state


def test_lent_environment_without_a_package(laptop: Laptop) -> None:
    """Its own answer lacks the package, so nobody waits a quarter of an hour; with one the lab goes up."""
    lent = standin_fixtures.add_environment(laptop.standin.state, "ours", package="")
    laptop.desired = desired_state(environment_id=lent.id)
    began = laptop.manual_clock()
    with pytest.raises(Refused, match="has no Stream Governance package"):
        laptop.provision()
    assert laptop.manual_clock() - began < 60
    lent.package = "ESSENTIALS"
    laptop.provision()
    assert laptop.teardown() == []
