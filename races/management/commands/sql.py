from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from races.flink.gateway import GatewayError, Page, StatementRefused
from races.lab import workspace
from races.management.base import LabCommand
from races.models import Race
from races.sql import terminal
from races.sql.explain import best_section, sections, trees
from races.sql.service import BEGINNING, NOW, RACE, Running, Start
from races.sql.statements import NotAllowed, is_explain, kind, split
from races.streams.connection import NoKafka

POLL_S = 0.05
WATCH_S = 1.0
COLOURS = {"+I": "green", "-U": "dim", "+U": "yellow", "-D": "red"}


class Command(LabCommand):
    help = """Run Flink SQL on the Flink that this lab uses, as the workspace at /sql/ does.

  python manage.py sql "SELECT driver_code, lap, speed FROM positions" --count 20
  python manage.py sql "SELECT type, COUNT(*) FROM race_control GROUP BY type"        its changelog: +I -U +U -D
  python manage.py sql "EXPLAIN SELECT * FROM positions"                              the plan as a tree
  python manage.py sql --from now - < statements.sql                                  several, one after another

The tables are called by their role (positions, race_control, car_metrics, avg_speed, commentary,
car_metrics_anomalies) or by their topic. CREATE TABLE without WITH makes a topic of your own; INSERT INTO fills it
until Ctrl-C. Ctrl-C ends what runs."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "sql", help="statements, with semicolons between them; - reads them from standard input"
        )
        parser.add_argument(
            "--from", dest="start", choices=(BEGINNING, RACE, NOW), default=BEGINNING,
            help="where to begin to read: the topics' beginning (default), the newest race, or now",
        )  # fmt: skip
        parser.add_argument("--count", type=int, help="end a SELECT after so many changes")
        parser.add_argument(
            "--json", action="store_true", help="each change as a line of JSON: op and columns"
        )

    def handle(self, *args: Any, sql: str, **options: Any) -> None:
        if lines := workspace.why_not():
            raise CommandError("\n".join(lines))
        if options["count"] is not None and options["count"] < 1:
            raise CommandError(f"--count is {options['count']}; write 1 or more")
        pieces = split(sys.stdin.read() if sql == "-" else sql)
        if not pieces:
            raise CommandError("There is no statement here.")
        start = Start(options["start"])
        if start.mode == RACE:
            race = Race.objects.filter(started_ms__isnull=False).order_by("-started_ms").first()
            if race is None or race.started_ms is None:
                raise CommandError(
                    "No race has started yet, so there is none to read from. Leave --from out."
                )
            start = Start(RACE, race.started_ms)
        # what ends the command ends its job in Flink too
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._run([piece.sql for piece in pieces], start, options)
        except (GatewayError, NotAllowed, NoKafka) as error:
            raise CommandError(str(error)) from None
        except BrokenPipeError:  # whoever read along has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _run(self, statements: list[str], start: Start, options: dict[str, Any]) -> None:
        service = workspace.make_service(terminal=True)
        for sql in statements:
            kind(sql, service.own)
        connection = service.open("a terminal")
        try:
            for sql in statements:
                running = connection.start(sql, start)
                try:
                    self._follow(running, sql, options)
                except StatementRefused as error:
                    raise CommandError(terminal.marked(sql, error)) from None
                except KeyboardInterrupt:
                    self.err.say("Stopped.")
                    raise
                finally:
                    running.stop()
        finally:
            connection.close()

    def _follow(self, running: Running, sql: str, options: dict[str, Any]) -> None:
        shown, headed = 0, False
        while True:
            page = running.fetch()
            if page.ready and page.job and not page.is_query:
                self.err.say("The job runs. Ctrl-C ends it.")
                while not (found := running.watch()).ended:
                    time.sleep(WATCH_S)
                if found.words:
                    raise CommandError(found.words)
                self.err.say("The job has finished.")
                return
            if page.changes and not headed and not is_explain(sql) and not options["json"]:
                self.out.say(terminal.heading(page.columns, page.is_query))
                headed = True
            left = None if options["count"] is None else options["count"] - shown
            shown += self._print(page, sql, left, options["json"])
            if page.done or (options["count"] is not None and page.is_query and shown >= options["count"]):
                return
            if not page.changes:
                time.sleep(POLL_S)

    def _print(self, page: Page, sql: str, most: int | None, as_json: bool) -> int:
        changes = page.changes[:most] if page.is_query else page.changes
        for change in changes:
            if is_explain(sql) and not as_json:
                plan = sections(str(change.fields[0]))
                self.out.say(terminal.tree(trees(plan.get(best_section(plan), ""))))
            elif as_json:
                names = [column.name for column in page.columns]
                row = {"op": change.kind, **dict(zip(names, change.fields, strict=False))}
                self.out.say(json.dumps(row, ensure_ascii=False))
            else:
                style = COLOURS[change.kind] if page.is_query else ""
                self.out.say(terminal.line(change, page.columns, page.is_query), style)
        return len(changes)
