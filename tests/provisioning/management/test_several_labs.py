"""Several labs in one journal, and rehearsals whose stand-in is gone."""

from __future__ import annotations

import json

import pytest
from django.conf import settings as django_settings

from f1site.config import read_lab
from provisioning.standin import Standin
from tests.fakes.laptop import SHORT
from tests.fakes.shell import Shell


def test_other_labs_are_named(shell: Shell) -> None:
    """Status and teardown name the other labs of the journal."""
    shell.run("provision_confluent")
    other = next(iter(shell.standin.state.environments))
    shell.config.write_text("confluent:\n  environment_name: second\n")
    django_settings.LAB = read_lab(shell.folder, {})
    labs = json.loads(shell.journal.read_text())
    (organization, _), real = (
        next(iter(labs)).split("/"),
        {"environment": {"id": "env-real1", "name": "real"}},
    )
    labs |= {f"{organization}/begun": {"intents": {"environment": {}}}, "elsewhere/real": real}
    shell.journal.write_text(json.dumps(labs))
    for command in (("confluent_status",), ("teardown_confluent", "--yes")):
        _, said = shell.run(*command)
        assert f"The journal holds another lab, f1-leaderboard-env ({other})" in said
        assert f"teardown_confluent --environment {other}" in said
        assert "another lab, begun, whose making was interrupted: confluent.environment_name" in said
        assert "another lab, real (env-real1), in another organisation: a Cloud API key of that one" in said


def test_stale_rehearsal_can_be_forgotten(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal on a stand in that is gone can be forgotten."""
    shell.run("provision_confluent")
    django_settings.LAB = read_lab(shell.folder, {})
    real, rehearsed = shell.config.read_bytes(), shell.journal.read_bytes()
    with Standin(SHORT, clock=shell.manual_clock, kafka=False, seed=7) as another:
        monkeypatch.setenv("CONFLUENT_CLOUD_URL", another.url)
        code, said = shell.run("teardown_confluent", "--yes")  # the first one still answers
        assert (code, "rehearsal" in said, shell.config.exists()) == (0, False, True)
        assert "another lab, f1-leaderboard-env, on a stand-in at 127.0.0.1:" in said
        shell.standin.stop()
        code, said = shell.run("teardown_confluent")
        assert (code, "with --yes" in said, shell.config.exists()) == (1, True, True)
        code, said = shell.run("teardown_confluent", "--yes")
        assert (code, "on a stand-in that is gone" in said) == (0, True)
    assert not shell.config.exists()
    assert shell.journal.read_text().strip() == "{}"
    code, said = shell.run("confluent_status")  # nobody answers any more
    assert (code, "The stand-in at 127.0.0.1:" in said) == (1, True)
    shell.config.write_bytes(real)  # the journal was lost, the block is there
    assert shell.run("teardown_confluent", "--yes")[0] == 0
    assert not shell.config.exists()
    shell.config.write_bytes(real)
    shell.journal.write_bytes(rehearsed)
    code, said = shell.run("teardown_confluent", "--plan")
    assert (code, "This goes: what was rehearsed" in said, shell.config.exists()) == (0, True, True)
    monkeypatch.delenv("CONFLUENT_CLOUD_URL")
    monkeypatch.delenv("CONFLUENT_CLOUD_API_KEY")  # another terminal
    code, said = shell.run("teardown_confluent", "--yes")
    assert (code, "The journal holds a rehearsal, f1-leaderboard-env" in said) == (0, True)
    assert (shell.config.exists(), shell.journal.read_text().strip()) == (False, "{}")
    code, said = shell.run("teardown_confluent", "--yes")
    assert (code, "There is no Cloud API key" in said) == (1, True)
