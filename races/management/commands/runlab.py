from __future__ import annotations

import os
import signal
import sys
from argparse import SUPPRESS
from collections.abc import Sequence
from typing import Any

from channels.routing import get_default_application
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from races.lab import addresses
from races.lab.kafka_address import kafka_room
from races.lab.preflight import CannotStart, check_migrations, check_port
from races.lab.runtime import Lab
from races.lab.server import end_with_input, interruptibly, serve, take_early_signals
from races.management.base import LabCommand
from races.streams.connection import Connection
from races.streams.errors import StreamError

OWN_CONFIG = "lab.yaml"  # written by make flink


class Command(LabCommand):
    help = """Start the whole lab in one process: web, worker, analytics and recorder.

Without a kafka: section in config.yaml it carries its own Kafka and schema registry; with one it uses those.

  python manage.py runlab                 on http://127.0.0.1:8000
  python manage.py runlab 8100            on another port
  python manage.py runlab 0.0.0.0:8000    for a whole room: other machines can open it too
  python manage.py runlab 0.0.0.0:8000 --kafka 0.0.0.0:9092    the room's own programs may read and write Kafka as well
  F1_ANOMALY_DETECTION=1 python manage.py runlab     with engine readings and their anomalies

Ctrl-C ends everything; running races go on at the next start."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tied", action="store_true", help=SUPPRESS)  # it ends with its standard input
        parser.add_argument("address", nargs="?", default="127.0.0.1:8000", help="HOST:PORT or PORT")
        parser.add_argument(
            "--kafka",
            metavar="HOST:PORT",
            help="where the embedded Kafka listens for other programs; by default on this machine only, at the "
            "port of last time",
        )

    def handle(self, *args: Any, address: str, kafka: str | None, tied: bool, **options: Any) -> None:
        host, port = split_address(address)
        if kafka and settings.LAB.kafka is not None:
            raise CommandError("--kafka is for the embedded Kafka, and config.yaml names another one.")
        lab = Lab(split_address(kafka)) if kafka else Lab()
        if tied:
            end_with_input()
        take_early_signals(lab)
        try:
            url, banner = interruptibly(lambda: self._start(lab, host, port))
        except (CannotStart, StreamError) as error:
            raise CommandError(str(error)) from None

        def ready() -> None:
            addresses.save_address(url)
            self.out.say(banner, bright=url)

        serve(host, port, get_default_application(), ready, lab)
        addresses.delete_address()
        lab.stop()
        if lab.deaths:
            raise CommandError(f"The lab stopped because its {lab.deaths[0]} died; the log above says why.")
        sys.stdout.flush()
        os._exit(
            0
        )  # everything is stopped and released; librdkafka's threads alone would take another second

    def _start(self, lab: Lab, host: str, port: int) -> tuple[str, str]:
        """All but the web server: its address and the banner. Raises CannotStart, StreamError, database errors."""

        def died(name: str) -> None:
            lab.deaths.append(name)
            os.kill(os.getpid(), signal.SIGTERM)

        check_port(host, port)
        check_migrations()
        if not addresses.is_loopback(host):
            settings.ALLOWED_HOSTS += addresses.own_names()
            settings.ROOM_ADDRESSES = addresses.room_addresses(host, port)
        if origin := addresses.forwarded_origin(os.environ, port):
            settings.CSRF_TRUSTED_ORIGINS.append(origin)
            settings.ROOM_ADDRESSES.insert(0, origin)
        url = addresses.local_address(host, port)
        current = lab.start(url, died, self.out.say)
        others = kafka_room(lab.kafka_address[0], current.settings.bootstrap) if lab.kafka else []
        return url, self.banner(url, host, current, others)

    def banner(self, url: str, host: str, kafka: Connection, others: Sequence[str] = ()) -> str:
        kind = "embedded" if kafka.settings.embedded else "configured"
        anomalies = "on" if settings.LAB.anomaly_detection else "off (F1_ANOMALY_DETECTION=1 turns it on)"
        lines = [
            "",
            f"  The F1 streaming lab runs on {url}",
            "",
            f"  Kafka       {kafka.settings.bootstrap}  ({kind})",
            f"  Registry    {kafka.settings.public(kafka.settings.registry_url)}",
            f"  Analytics   {engine_words()}; anomaly detection {anomalies}",
        ]
        if flink := settings.LAB.flink:
            lines += [f"  SQL gateway {flink.gateway_url}", f"  Dashboard   {flink.rest_url}"]
        if settings.LAB.path.name == OWN_CONFIG:
            lines.append(f"  Terminal    export F1_CONFIG={settings.LAB.path}; then any manage.py command")
            lines.append("              python manage.py run_flink --client is Flink's own SQL client")
        if settings.ROOM_ADDRESSES or not addresses.is_loopback(host):
            room = "  ".join(settings.ROOM_ADDRESSES)
            lines.append(f"  The room    {room or 'no network that others could come from'}")
        if others:
            room = "  ".join(others)
            lines.append(f"  Its Kafka   {room}  (who reaches it may read and write all topics)")
        if not get_user_model().objects.filter(is_staff=True).exists():
            lines.append(f"  Admin       {url}/admin/  (first: python manage.py createsuperuser)")
        return "\n".join([*lines, "", "  Ctrl-C stops it; running races go on at the next start.", ""])


def engine_words() -> str:
    """What runs, and why it is not what the file asks for."""
    lab = settings.LAB
    if lab.engine == lab.wanted_engine:
        return str(lab.engine)
    return f"{lab.engine} ({lab.path.name} asks for {lab.wanted_engine}: run manage.py provision_confluent first)"


def split_address(address: str) -> tuple[str, int]:
    """Raises CommandError."""
    host, _, port = address.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(f"'{address}' is no address; write HOST:PORT or PORT, e.g. 127.0.0.1:8000")
    return host.strip("[]") or "127.0.0.1", int(port)
