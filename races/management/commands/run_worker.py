from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from races.health.metrics import worker_text
from races.health.metrics_server import MetricsServer
from races.lab.components import make_components
from races.lab.preflight import CannotStart, check_migrations, reach_kafka
from races.lab.server import exit_within_limit, interruptibly
from races.management.base import LabCommand
from races.streams import connection
from races.streams.errors import StreamError


class Command(LabCommand):
    help = """Run a worker of its own for a configured Kafka: races, embedded analytics and, by lease, the recorder.

  python manage.py run_worker
  python manage.py run_worker --metrics-port 9101     with its figures at http://127.0.0.1:9101/metrics

Any number of them may run, on any machine that reaches the database and Kafka; each race has one of them at a
time, and when a worker dies another goes on with its races. The web is then one or more of
  daphne f1site.asgi:application
  uvicorn f1site.asgi:application --ws-per-message-deflate false"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--metrics-port", type=int, help="serve /metrics there, to this machine only (0: a free port)"
        )

    def handle(self, *args: Any, metrics_port: int | None, **options: Any) -> None:
        kafka = settings.LAB.kafka
        if kafka is None:
            raise CommandError(
                "run_worker needs a kafka: section in config.yaml. Without one, runlab carries its own Kafka."
            )
        try:
            interruptibly(check_migrations)
            interruptibly(lambda: reach_kafka(kafka, self.out.say))
            metrics = None if metrics_port is None else MetricsServer(metrics_port, worker_text)
        except (CannotStart, StreamError) as error:
            raise CommandError(str(error)) from None
        except (OSError, OverflowError) as error:
            raise CommandError(f"Port {metrics_port} cannot be used for /metrics: {error}") from None
        ended = threading.Event()
        deaths: list[str] = []

        def stop(number: int, frame: FrameType | None) -> None:
            exit_within_limit(deaths)
            ended.set()

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        components = make_components(connection.current())

        def died(name: str) -> None:
            deaths.append(name)
            ended.set()

        components.start(died)
        if metrics is not None:
            metrics.start()
            self.out.say(f"Figures: {metrics.url}")
        self.out.say(f"Worker {components.worker.owner} takes races. Ctrl-C stops it.")
        ended.wait()
        components.stop()
        if deaths:
            raise CommandError(f"The {deaths[0]} died; the log above says why.")
