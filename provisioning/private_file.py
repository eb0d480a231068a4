"""Files that hold secrets: readable by their owner only, and either old or new, where the file system allows that."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import IO

HALF = ".half"


# A file that is mounted into a container, or lies in a folder of somebody else's, cannot be replaced by another one.
NOT_REPLACEABLE = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM)


def write_private(path: Path, text: str) -> None:
    """Writes the file, made where it is missing. A link stays a link: what it points to is written. Raises OSError."""
    target = Path(os.path.realpath(path))
    try:
        handle, name = tempfile.mkstemp(HALF, f".{target.name}.", target.parent)  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                _fill(file, text)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        # a rename is on the disk only with its folder. Windows cannot open folders, and needs none of this.
        with contextlib.suppress(OSError):
            opened = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)
    except OSError as error:
        if error.errno not in NOT_REPLACEABLE or not target.exists():
            raise
        with target.open("r+", encoding="utf-8", newline="") as file:
            with contextlib.suppress(OSError):  # somebody else's file
                target.chmod(0o600)
            _fill(file, text)
            file.truncate()


def _fill(file: IO[str], text: str) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())


def remove_leftovers(path: Path) -> None:
    """Removes what a kill -9 in the middle of write_private left beside the file, with secrets in it."""
    path = Path(os.path.realpath(path))
    for half in path.parent.glob(f".{path.name}.*{HALF}"):
        with contextlib.suppress(OSError):
            half.unlink()
