"""An AWS session token that runs out while the statements run: what the commands show, and both ways on."""

from __future__ import annotations

import pytest

from f1site.config import read_lab
from tests.fakes.shell import Shell


def test_status_explains_an_expired_token(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status says why a statement failed whose AWS token has expired."""
    for name, value in (
        ("ACCESS_KEY_ID", "AKIA0"),
        ("SECRET_ACCESS_KEY", "s3cret"),
        ("SESSION_TOKEN", "new"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    shell.run("provision_confluent", "--flink")
    (bedrock,) = shell.standin.state.connections
    query = next(s for s in shell.standin.state.statements if s.name.endswith("commentary-query"))
    bedrock.phase, query.phase = "INVALID_AUTH", "FAILED"
    query.detail = "The security token included\nin the request is expired"
    said = " ".join(shell.run("confluent_status")[1].split())
    assert f"{bedrock.name}: INVALID_AUTH: The security token" in said
    assert f"{query.name}: FAILED: The security token" in said
    assert said.count("in the request is expired") == 2

    monkeypatch.setenv("AWS_SESSION_TOKEN", "newer")
    shell.run("provision_confluent", "--flink")
    said = " ".join(shell.run("confluent_status")[1].split())
    assert f"{bedrock.name}: INVALID_AUTH" not in said and f"{query.name}: RUNNING" in said


def test_expired_token_leaves_it_to_the_lab(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired token that nobody renews leaves the commentary to the lab."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    for name in names:
        monkeypatch.setenv(name, "something")
    shell.run("provision_confluent", "--flink")
    shell.standin.state.connections[0].phase = "INVALID_AUTH"
    for name in names:
        monkeypatch.delenv(name)
    code, said = shell.run("provision_confluent", "--flink", "--yes")
    assert (code, "the embedded commentator writes the commentary" in said) == (0, True)
    standing = shell.standin.state.alive(shell.standin.state.statements)
    assert not [statement.name for statement in standing if "commentary" in statement.name]
    assert read_lab(shell.config.parent, {}).commentator == "embedded"
