"""A provisioning command as a process of its own, whose waits are short: python process.py provision_confluent …"""

from __future__ import annotations

import os
import sys
import time

from provisioning.clock import Clock


class Hurried:
    """A clock that jumps over most of each sleep."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))
        self.skipped += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped


def main() -> None:
    from django.core.management import execute_from_command_line

    from provisioning.cli import CloudCommand

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "f1site.settings")
    hurried = Hurried()
    CloudCommand.clock = Clock(sleep=hurried.sleep, monotonic=hurried.monotonic)
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
