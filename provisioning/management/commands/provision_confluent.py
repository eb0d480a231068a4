"""manage.py provision_confluent: Confluent Cloud up, with one command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from provisioning import attendees, config_file, cost_guard
from provisioning.apply import steps
from provisioning.cli import CloudCommand, config_path, configured, counted, exclusively, journal_path
from provisioning.config import EMBEDDED, FLINK, MANAGED, DesiredState
from provisioning.cost import sentence
from provisioning.destroy import LEFT
from provisioning.journal import Journal
from provisioning.plan import CHANGE, CREATE, DROP, LEAVE, plan, summary
from provisioning.resources import environment, flink_statements
from provisioning.resources.flink_pool import flink_region
from provisioning.session import Session
from provisioning.smoke_test import produce_and_read_back
from provisioning.status import current_state
from provisioning.steps import Step, run

EXAMPLES = """
examples:
  manage.py provision_confluent --plan
      what would be made; nothing is written
  manage.py provision_confluent
      Kafka, Schema Registry and an empty Flink pool on Confluent Cloud; the
      analytics run in this lab (embedded)
  manage.py provision_confluent --flink
      the analytics run as Flink SQL
  manage.py provision_confluent --flink --hours 3
      …and stop after three hours, should everybody forget them

It needs a Cloud API key whose owner is OrganizationAdmin:
  export CONFLUENT_CLOUD_API_KEY=…  CONFLUENT_CLOUD_API_SECRET=…
and, for commentary by a model on Amazon Bedrock: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN).

Interrupt it anywhere and run it again: it goes on. Without an account:
python -m provisioning.standin. See docs/confluent.md.
"""
NEXT = {
    "make run": "the lab, on this Kafka",
    "python manage.py confluent_status": "what stands, and what it has cost",
    "python manage.py teardown_confluent": "all of it gone again",
}
SIGNS = {CREATE: "+", CHANGE: "~", DROP: "-", LEAVE: "="}


class Command(CloudCommand):
    help = "Builds or recovers what the lab needs on Confluent Cloud; writes config.yaml."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--plan", action="store_true", help="show what would be made or changed; write nothing"
        )
        parser.add_argument("--yes", action="store_true", help="answer every question with yes")
        engine = parser.add_mutually_exclusive_group()
        engine.add_argument("--flink", action="store_true", help="run the analytics as Flink SQL")
        engine.add_argument("--embedded", action="store_true", help="run them in the lab (back from --flink)")
        parser.add_argument(
            "--hours", type=parsed_hours, metavar="N", help="stop the running Flink statements after N hours"
        )
        parser.add_argument(
            "--environment", default="", metavar="ENV-ID", help="take over this environment of the lab's"
        )

        parser.add_argument(
            "--attendees",
            type=Path,
            metavar="FILE",
            help="a class: one environment f1-<name> for each name in the file, one a line",
        )

    def work(self, options: dict[str, Any]) -> int:
        engine = FLINK if options["flink"] else EMBEDDED if options["embedded"] else ""
        wanted = configured(engine, options["hours"])
        if options["attendees"]:
            return self._class(wanted, options)
        config_file.check_room(config_path(), wanted.engine)
        if options["plan"]:
            return self._plan(self.begin(wanted, False, options["environment"], keep=False, by_name=True))
        with exclusively():
            session = self.begin(wanted, options["yes"], options["environment"], by_name=True)
            rows = self._steps(session, config_path())
            self.begun = "What was made is in the journal; the same command goes on from there."
            session.entry.drop(LEFT)
            run(rows, session.clock, self.progress)
            self.progress.leave()
            self._report(session)
        return 0

    def _class(self, wanted: DesiredState, options: dict[str, Any]) -> int:
        """Builds everybody's lab at once: waiting for twenty clusters takes as long as for one."""
        names = attendees.read_names(options["attendees"])
        if options["plan"]:
            for name in names:
                self.print_text(f" + environment f1-{name}, with cluster, pool, account, keys and topics")
            self.print_text(
                f"\n{counted(len(names), 'lab')}. Nothing was written; run without --plan to do it."
            )
            return 0
        with exclusively():
            journal = Journal(journal_path())
            labs = {
                name: self.begin(
                    attendees.desired_for(wanted, name), options["yes"], by_name=True, journal=journal
                )
                for name in names
            }
            self.begun = "What was made is in the journal; the same command goes on from there."
            built: list[Step] = []
            for name, session in labs.items():
                config = attendees.config_for(journal_path(), name)
                config_file.check_room(config, wanted.engine)
                built += attendees.labelled(name, self._steps(session, config))
            run(built, self.clock, self.progress)
            self.progress.leave()
            self.print_text("")
            for name, session in labs.items():
                self.print_text(attendees.card(name, session, attendees.config_for(journal_path(), name)))
            self.print_text(
                f"To take all of it down:\n  manage.py teardown_confluent --attendees {options['attendees']}"
            )
        return 0

    def _steps(self, session: Session, config: Path) -> list[Step]:
        return steps(session, config, produce_and_read_back, lambda s: cost_guard.arm(s, journal_path()))

    def _plan(self, session: Session) -> int:
        session.ask = lambda _: True  # a look takes nothing over: the journal is not kept
        with self.looking():
            flink_region(session)
            environment.dry_run(session)
            found = current_state(session)
        wanted = session.desired
        with_model = wanted.flink_model == MANAGED or wanted.aws is not None or found.connection is not None
        rows = plan(session, found, with_model)
        for row in rows:
            why = f" ({row.why})" if row.why else ""
            self.print_item(f" {SIGNS[row.action]} {row.action:<7}", f"{row.what}{why}")
        if found.cluster and (found.topics is None or found.statements is None):
            self.print_text(
                "\nThe journal holds no key that opens them, so topics, schemas and statements that stand already are "
                "in the list as if they did not."
            )
        self.print_text(f"\n{summary(rows)}")
        return 0

    def _report(self, session: Session) -> None:
        by_flink = session.desired.engine == FLINK
        running = len(flink_statements.desired(session, "query")) if by_flink else 0
        self.print_text("")
        for note in session.notes:
            self.print_text(f"Note: {note}")
        made = [c for c in session.changes if not c.startswith("wrote")]
        self.print_text(
            f"{counted(len(made), 'thing')} made or changed."
            if made
            else "Nothing changed: everything stood already."
        )
        record = session.need("environment")
        engine = (
            f"Flink, {running} {'query' if running == 1 else 'queries'}"
            if by_flink
            else "embedded in the lab"
        )
        self.print_text(
            f"Stands: environment {record['name']} ({record['id']}), cluster {session.id('cluster')}, "
            f"{len(session.makers)} topics, analytics: {engine}.\n"
            f"Config: {config_path()}"
        )
        self.print_text(sentence(running))
        until = cost_guard.deadline(session.entry)
        if session.desired.hours is not None and not running:
            self.print_text("--hours: no Flink statement runs, so there is nothing to stop.")
        elif running and until:
            said = cost_guard.format_deadline(until)
            self.print_text(
                f"Cost guard: a process on this machine stops the statements at {said}. {cost_guard.CANNOT}"
            )
        self.print_text("\nNext:")
        for command, what in NEXT.items():
            self.print_text(f"  {command}\n      {what}")


def parsed_hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 24 * 30:
        raise argparse.ArgumentTypeError(f"{text}: a number of hours above 0, 720 at most")
    return hours
