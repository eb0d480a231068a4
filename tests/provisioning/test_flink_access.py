"""The way to the environment's Flink that provisioning leaves for the SQL workspace, and what teardown makes of it."""

from __future__ import annotations

import stat
from pathlib import Path

from races.flink.confluent import Statements, load, phase
from tests.fakes.laptop import Laptop, desired_state

SELECT = "SELECT * FROM `f1-driver-positions`"


def access(laptop: Laptop) -> Path:
    return laptop.journal.with_name("flink.json")


def test_written_for_its_owner_only(laptop: Laptop) -> None:
    laptop.provision()
    found = load(access(laptop))
    assert found is not None
    assert stat.S_IMODE(access(laptop).stat().st_mode) == 0o600
    assert (found.catalog, found.database, found.cfu) == ("f1-leaderboard-env", "f1-leaderboard-cluster", 5)
    assert laptop.journalled_keys()[found.key] == found.secret


def test_embedded_engine_needs_none(laptop: Laptop) -> None:
    laptop.desired = desired_state(engine="embedded", aws=None)
    laptop.provision()
    assert not access(laptop).exists()


def test_statement_of_the_workspace_goes_with_teardown(laptop: Laptop) -> None:
    """It carries the lab's label, so that teardown stops and deletes it as its own."""
    laptop.provision()
    found = load(access(laptop))
    assert found is not None
    laptop.standin.start()  # the workspace calls over HTTP
    statements = Statements(found)
    before = statements.active_in_pool()
    statements.create("f1-sql-abc-1", SELECT, {"sql.tables.scan.startup.mode": "latest-offset"})
    laptop.manual_clock.advance(60)
    assert phase(statements.get("f1-sql-abc-1")) == "RUNNING"
    assert "f1-sql-abc-1" in [one["name"] for one in statements.ours()]
    assert statements.active_in_pool() == before + 1
    assert laptop.teardown() == []
    assert laptop.snapshot()["environments"] == {}
    assert not access(laptop).exists()
