from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from races.flink.cluster import Cluster, ClusterAway
from races.flink.deployer import identity, stop_with_savepoint
from races.flink.dialect import Query, job_names
from races.flink.engine_status import EngineWatch
from races.flink.gateway import Gateway, GatewayError
from races.lab.flink import flink_settings, memories, own_mark, wanted_queries
from races.management.base import LabCommand
from races.streams.admin import cluster_id
from races.streams.config import StreamSettings
from races.streams.errors import StreamError

NO_FLINK = "This lab's analytics are not on a Flink of one's own. Start  make flink , or see docs/flink.md."


class Command(LabCommand):
    help = """Show the lab's queries on a Flink of one's own; stop one with a savepoint, and start it again from there.

  python manage.py flink_queries                    each with its state, records and checkpoint
  python manage.py flink_queries --stop average     it stops at a savepoint, and the lab leaves it stopped
  python manage.py flink_queries --start average    the lab starts it from the savepoint within seconds

The names are average, anomalies and commentary. With make flink, set F1_CONFIG=var/flink/lab.yaml first."""

    def add_arguments(self, parser: CommandParser) -> None:
        asked = parser.add_mutually_exclusive_group()
        asked.add_argument("--stop", metavar="NAME", help="stop it with a savepoint")
        asked.add_argument("--start", metavar="NAME", help="let the lab start it again")

    def handle(self, *args: Any, stop: str | None, start: str | None, **options: Any) -> None:
        if settings.LAB.engine != "flink" or settings.LAB.flink is None:
            raise CommandError(NO_FLINK)
        flink = flink_settings()
        gateway, cluster = Gateway(flink.gateway_url), Cluster(flink.rest_url)
        try:
            if stop:
                self._stop_with_savepoint(gateway, cluster, _named(stop))
            elif start:
                memories().note_stopped(_named(start).name, False)
                self.stdout.write(
                    f"The lab starts {start} from its savepoint. Its strip on the page shows it."
                )
            else:
                names = job_names([query.group for query in wanted_queries()], own_mark())
                status = EngineWatch(gateway, cluster, names).status()
                self.stdout.write(f"{status.words}  {status.url}")
                for one in status.statements:
                    self.stdout.write(f"  {one.name:<12}{one.words}")
        except (ClusterAway, GatewayError, StreamError, TimeoutError) as error:
            raise CommandError(str(error)) from None

    def _stop_with_savepoint(self, gateway: Gateway, cluster: Cluster, query: Query) -> None:
        """The lab hears of it first, or it would start the query anew while it stops."""
        running = (job for job in cluster.jobs() if job.name == query.name and job.state == "RUNNING")
        job = next(running, None)
        if job is None:
            raise CommandError(f"{query.group} does not run just now. See: python manage.py flink_queries")
        kept = memories()
        before = kept.of(query.name)
        kept.note_stopped(query.name, True)
        try:
            point = stop_with_savepoint(gateway, job.id)
        except (GatewayError, TimeoutError):
            kept.note_stopped(query.name, False)
            raise
        kafka: StreamSettings = settings.LAB.kafka  # type: ignore[assignment]  # a flink: section wants a kafka: one
        of = before.of or identity(query, cluster_id(kafka), settings.LAB.topics)
        kept.note_point(query.name, point, of)
        self.stdout.write(f"Stopped {query.group}. Its savepoint: {point}")
        self.stdout.write(f"Start it again: python manage.py flink_queries --start {query.group}")


def _named(group: str) -> Query:
    """Raises CommandError where this lab runs no such query."""
    wanted = {query.group: query for query in wanted_queries()}
    if group not in wanted:
        raise CommandError(f"This lab runs no query {group!r}. There are: {', '.join(wanted)}")
    return wanted[group]
