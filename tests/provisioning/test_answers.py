"""Where only the real service can decide, the commands live with each answer that it may give."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.standin import Answers
from provisioning.standin.answers import in_turn
from tests.fakes.laptop import NOTHING_STANDS, Laptop, new_laptop

EVERY = list(in_turn())


def running(laptop: Laptop) -> list[str]:
    return [s.name for s in laptop.standin.state.statements if s.phase == "RUNNING" and s.deleted is None]


@pytest.mark.parametrize("answer", EVERY)
def test_up_and_down_with_each_answer(tmp_path: Path, answer: str) -> None:
    """Everything comes up, a second run changes nothing, and nothing is left."""
    with new_laptop(tmp_path, answers=Answers.parse(answer)) as laptop:
        session = laptop.provision()
        assert len(running(laptop)) == 3
        assert session.commentary_by_flink
        laptop.manual_clock.advance(60)
        assert laptop.provision().changes == []
        assert laptop.teardown() == []
        assert laptop.snapshot() == NOTHING_STANDS


@pytest.mark.parametrize("answer", ["connection=empty", *EVERY])
def test_renewed_keys_and_revived_queries(tmp_path: Path, answer: str) -> None:
    """New AWS keys reach the connection; stopped and failed queries run again."""
    with new_laptop(tmp_path, answers=Answers.parse(answer)) as laptop:
        laptop.provision()
        for statement, phase in zip(
            [s for s in laptop.standin.state.statements if s.phase == "RUNNING"],
            ("STOPPED", "FAILED", "FAILED"),
            strict=True,
        ):
            statement.phase, statement.stopped = phase, phase == "STOPPED"
        laptop.use_other_aws_keys()
        laptop.provision()
        (connection,) = [c for c in laptop.standin.state.connections if c.deleted is None]
        assert connection.auth["AWS_SECRET_ACCESS_KEY"] == laptop.aws_secret
        assert len(running(laptop)) == 3


def test_unknown_answers_are_refused() -> None:
    """The message lists every question with its answers."""
    with pytest.raises(ValueError, match="connection=empty\\|absent"):
        Answers.parse("connection=maybe")
    with pytest.raises(ValueError, match="patch"):
        Answers.parse("nonsense")
