#!/usr/bin/env python
"""The lab's command line: `python manage.py help`."""

import gc
import importlib.util
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from races.lib.memory import THRESHOLDS
from races.lib.spelling import write_anywhere


def leave(number: int, frame: FrameType | None) -> None:
    """Nothing is started yet that would have to be stopped."""
    os._exit(0)


def use_own_packages() -> None:
    """Starts again with the Python of .venv, where `make run` has put the packages and nobody has activated it."""
    folder = Path(__file__).resolve().parent / ".venv"
    python = folder / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != folder.resolve():
        os.execv(python, [str(python), *sys.argv])  # noqa: S606  # our own, and no shell
    remedy = r".venv\Scripts\Activate.ps1" if os.name == "nt" else "make setup"
    sys.exit(f"This Python has no Django. First: {remedy}")


if __name__ == "__main__":
    if importlib.util.find_spec("django") is None:
        use_own_packages()
    gc.set_threshold(*THRESHOLDS)  # a sixth of a start would be a search for garbage among modules
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "f1site.settings")
    os.environ.setdefault(
        "PYDANTIC_DISABLE_PLUGINS", "__all__"
    )  # or it looks through every installed package
    write_anywhere()
    if sys.argv[1:2] in (["runlab"], ["run_worker"]):
        signal.signal(signal.SIGINT, leave)
        signal.signal(signal.SIGTERM, leave)
    try:
        from django.core.management import execute_from_command_line
        from django.db import OperationalError

        try:
            execute_from_command_line(sys.argv)
        except OperationalError as error:  # Django's own commands, migrate above all, have no words for it
            if "--traceback" in sys.argv:
                raise
            sys.exit(f"The database cannot be used: {str(error).strip().splitlines()[0]}")
    except KeyboardInterrupt:  # while it was still loading; a command that runs has words of its own
        sys.exit(130)
