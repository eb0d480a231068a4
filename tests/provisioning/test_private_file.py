"""Files with secrets: links stay links, mounted files are written where they are, and nobody else reads them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from provisioning.private_file import remove_leftovers, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_file_is_private(tmp_path: Path) -> None:
    write_private(tmp_path / "one", "words")
    assert ((tmp_path / "one").read_text(), mode(tmp_path / "one")) == ("words", 0o600)
    assert len(list(tmp_path.iterdir())) == 1


def test_link_stays_a_link(tmp_path: Path) -> None:
    """People keep their settings in a folder of dotfiles."""
    kept = tmp_path / "dotfiles"
    kept.mkdir()
    (kept / "config.yaml").write_text("old")
    link = tmp_path / "config.yaml"
    link.symlink_to(kept / "config.yaml")
    write_private(link, "new")
    assert link.is_symlink()
    assert (kept / "config.yaml").read_text() == "new"
    assert [path.name for path in kept.iterdir()] == ["config.yaml"]


def test_dangling_link_gets_its_file(tmp_path: Path) -> None:
    link = tmp_path / "config.yaml"
    link.symlink_to(tmp_path / "there.yaml")
    write_private(link, "new")
    assert link.is_symlink() and (tmp_path / "there.yaml").read_text() == "new"


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM])
def test_mounted_file_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A bind mount refuses to be replaced; another name of the same file sees the new words too."""
    file, other = tmp_path / "config.yaml", tmp_path / "other name"
    file.write_text("old words that are longer than the new ones")
    file.chmod(0o644)
    os.link(file, other)

    def busy(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", busy)
    write_private(file, "new")
    assert (other.read_text(), mode(file)) == ("new", 0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "other name"]


def test_full_disk_keeps_the_old_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("old")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_private(file, "new")
    assert file.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_leftovers_beside_the_linked_file_go(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles"
    kept.mkdir()
    (kept / "config.yaml").write_text("old")
    (kept / ".config.yaml.abc.half").write_text("a secret")
    (tmp_path / "config.yaml").symlink_to(kept / "config.yaml")
    remove_leftovers(tmp_path / "config.yaml")
    assert [path.name for path in kept.iterdir()] == ["config.yaml"]
