from __future__ import annotations

from statistics import median
from typing import Any
from urllib.parse import quote

import requests
from django.core.management.base import CommandError, CommandParser

from races.health.metrics_server import METRICS, TRACE
from races.lab.addresses import running_lab
from races.lib.http import OwnSession
from races.lib.tracing import STAGES
from races.management.base import LabCommand

DEFAULT_LAB = "http://127.0.0.1:8000"
WORDS = {
    "due": "due by the race's clock",
    "simulated": "simulated, records made",
    "sent": "handed to the Kafka client",
    "acknowledged": "acknowledged by Kafka",
    "read": "read back by the feed",
    "shown": "on the board, rendered",
    "delivered": "handed to every socket",
}


class Command(LabCommand):
    help = """Where one tick's time went, from the simulation to the sockets, as a running lab measured it.

  python manage.py trace_tick 3f0c6d5e-…               the newest tick, and the median of all that are kept
  python manage.py trace_tick 3f0c6d5e-… --tick 120

The last stages need a page that watches the race. Where workers are processes of their own, the web knows the stages
from reading on; a tick was then due at the time on its records. A worker of the same machine tells its stages too:

  python manage.py run_worker --metrics-port 9101
  python manage.py trace_tick 3f0c6d5e-… --worker http://127.0.0.1:9101"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("race", help="the race's id")
        parser.add_argument("--tick", type=int, help="which tick; default: the newest complete one")
        parser.add_argument(
            "--worker",
            action="append",
            default=[],
            help="a worker's --metrics-port, as an address; may be repeated",
        )
        parser.add_argument("--lab", help=f"its address; default: the running one's, {DEFAULT_LAB}")

    def handle(
        self, *args: Any, race: str, tick: int | None, lab: str | None, worker: list[str], **options: Any
    ) -> None:
        name = quote(race, safe="")
        address = (lab or running_lab() or DEFAULT_LAB).rstrip("/")
        found = _asked("lab", address, f"/api/races/{name}/trace/")
        for one in worker:
            _add_stages(found, _asked("worker", one.rstrip("/").removesuffix(METRICS), TRACE + name))
        rows = [row for row in found["ticks"] if "due" in row and (tick is None or row["tick"] == tick)]
        if not rows:
            raise CommandError(
                "Nothing is kept of that tick. A web process keeps the newest ticks of races that a page watches; "
                "where the worker runs in it, of all its races."
            )
        if found["worker_elsewhere"]:
            self.out.say(
                "The worker is another process: only the way from Kafka to the pages is known here. "
                "With its --metrics-port it tells the rest: --worker http://127.0.0.1:PORT"
            )
        newest = rows[-1]["tick"]
        self.out.say(f"Tick {newest}, milliseconds after it was due (median of {len(rows)}):")
        after = {
            stage: [(row[stage] - row["due"]) * 1000 for row in rows if stage in row] for stage in STAGES
        }
        self.out.table(
            ("stage", "this tick", "median"),
            [
                (WORDS[stage], f"{after[stage][-1]:.2f}", f"{median(after[stage]):.2f}")
                if stage in rows[-1]
                else (WORDS[stage], "not reached in this process", "")
                for stage in STAGES
            ],
            right=("this tick", "median"),
        )


def _asked(who: str, address: str, path: str) -> dict[str, Any]:
    try:
        with OwnSession() as session:
            answer = session.get(address + path, timeout=5)
        answer.raise_for_status()
        return dict(answer.json())
    except (requests.RequestException, ValueError) as error:
        response = getattr(error, "response", None)
        why = type(error).__name__ if response is None else f"HTTP {response.status_code}"
        raise CommandError(f"The {who} at {address} does not answer for this race ({why}).") from None


def _add_stages(found: dict[str, Any], by_tick: dict[str, dict[str, float]]) -> None:
    """What the worker measured goes before what the web made of a record's time."""
    for row in found["ticks"]:
        row |= by_tick.get(str(row["tick"]), {})
    if any("simulated" in row for row in found["ticks"]):
        found["worker_elsewhere"] = False
