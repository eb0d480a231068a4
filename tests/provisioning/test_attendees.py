"""A class: one lab a person, side by side, and all of it gone again."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.attendees import read_names
from provisioning.errors import ProvisioningError
from tests.fakes.laptop import NOTHING_STANDS
from tests.fakes.shell import Shell
from tests.fakes.standin_snapshot import snapshot


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.txt"
    path.write_text("# group A\nAda\ngrace  # late\n\nlin-us\n")
    return path


def test_class_goes_up_and_down(shell: Shell, names: Path) -> None:
    """Each person has an environment, a private config.yaml and a card without secrets."""
    began = shell.manual_clock()
    code, said = shell.run("provision_confluent", "--attendees", str(names))
    assert code == 0, said
    assert shell.manual_clock() - began < 120  # as long as for one
    found = snapshot(shell.standin.state)
    assert sorted(found["environments"]) == ["f1-ada", "f1-grace", "f1-lin-us"]
    for name in ("ada", "grace", "lin-us"):
        config = shell.journal.parent / "attendees" / name / "config.yaml"
        assert config.stat().st_mode & 0o777 == 0o600
        assert f"environment f1-{name} (" in " ".join(said.split())
    code, said = shell.run("teardown_confluent", "--yes", "--attendees", str(names))
    assert (code, "Nothing is left of the labs of 3 attendees." in said) == (0, True)
    assert snapshot(shell.standin.state) == NOTHING_STANDS


def test_class_that_was_interrupted_goes_on(shell: Shell, names: Path) -> None:
    """One person's failure is told; the next run takes up everybody's."""
    shell.standin.state.quotas["environments"] = 2
    code, said = shell.run("provision_confluent", "--attendees", str(names))
    assert (code, "quota" in said) == (1, True)
    shell.standin.state.quotas["environments"] = 25
    code, said = shell.run("provision_confluent", "--attendees", str(names))
    assert code == 0, said
    assert len(snapshot(shell.standin.state)["environments"]) == 3


@pytest.mark.parametrize("text", ["a b\n", "x\nX\n", "", "-a\n", "a" * 41])
def test_wrong_names_change_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "names.txt"
    path.write_text(text)
    with pytest.raises(ProvisioningError, match=r"names\.txt"):
        read_names(path)
