"""A provisioning command as a process of its own, whose waits are short: python process.py provision_confluent …"""

from __future__ import annotations

import os
import sys
import time

from provisioning.clock import Clock


def main() -> None:
    from django.core.management import execute_from_command_line

    from provisioning.console import CloudCommand

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "f1site.settings")
    CloudCommand.clock = Clock(sleep=lambda seconds: time.sleep(min(seconds, 0.02)))
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
