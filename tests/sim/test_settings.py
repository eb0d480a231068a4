"""Random streams."""

from races.sim.settings import stream


def test_streams_depend_on_seed_and_name() -> None:
    assert stream(1, "grid").random() == stream(1, "grid").random()
    assert len({stream(seed, name).random() for seed in range(3) for name in ("a", "b")}) == 6
