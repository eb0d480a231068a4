"""A compute pool that somebody deletes: its statements are stopped, and go on in the next one."""

from __future__ import annotations

from tests.fakes.laptop import NOTHING_STANDS, Laptop


def test_queries_of_a_deleted_pool_are_stopped(laptop: Laptop) -> None:
    """The service documents STOPPED, not FAILED; the next run makes a pool and starts them there."""
    session = laptop.provision()
    state = laptop.standin.state
    (old,) = state.pools.values()
    state.delete(old)
    laptop.manual_clock.advance(30)
    path = f"{session.flink_path}/statements"
    standing = [s for s in session.api("flink").pages(path) if s["name"].endswith("-query")]
    assert {s["status"]["phase"] for s in standing} == {"STOPPED"}
    assert all("compute pool was deleted" in s["status"]["detail"] for s in standing)
    again = laptop.provision()
    (new,) = state.alive(state.pools.values())
    running = [s for s in state.alive(state.statements) if s.phase == "RUNNING"]
    assert len(running) == 3 and {s.pool_id for s in running} == {new.id}
    assert any("started the statement" in change for change in again.changes)
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS
