"""Files that hold secrets: readable by their owner only, and either old or new, never half."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

HALF = ".half"


def write_private(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(HALF, f".{path.name}.", path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """What a kill -9 in the middle of write_private left beside it, with secrets in it."""
    for half in path.parent.glob(f".{path.name}.*{HALF}"):
        with contextlib.suppress(OSError):
            half.unlink()


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk only with its folder. Windows cannot open folders, and needs none of this."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
