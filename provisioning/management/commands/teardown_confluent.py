"""manage.py teardown_confluent: all of it gone again, and proof of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from provisioning import attendees, stale_standin
from provisioning.audit import clear_config
from provisioning.cli import (
    CloudCommand,
    config_path,
    configured,
    counted,
    credentials,
    exclusively,
    journal_path,
)
from provisioning.config_file import has_block, remove
from provisioning.cost import sentence
from provisioning.destroy import Destroy
from provisioning.errors import Declined, Refused
from provisioning.journal import Entry, Journal
from provisioning.ownership import TAG, resolve_ownership
from provisioning.resources import environment
from provisioning.session import Ask, Session
from provisioning.status import current_state, describe_all, foreign_things
from provisioning.steps import drive, run

EXAMPLES = """
examples:
  manage.py teardown_confluent --plan
      what would go and what would stay; nothing is touched
  manage.py teardown_confluent
      shows the list, asks once, deletes, audits
  manage.py teardown_confluent --yes
      without the question
  manage.py teardown_confluent --everything
      also what was made by hand in the lab's own environment

Lost the laptop with its journal? The ownership tag in the service account still
tells what is the lab's:
  manage.py teardown_confluent --yes --environment env-abc123

It deletes what the journal or the ownership tag names, and nothing else. An
environment that you lent (confluent.environment_id) stays.

Exit code 0: nothing is left. 1: something is, and it is listed. 3: you said no.
"""


class Command(CloudCommand):
    help = "Deletes what the lab made on Confluent Cloud, and audits that it is gone."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--plan", action="store_true", help="show what would go; delete nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--everything",
            action="store_true",
            help="in an environment that the lab made: also what others, or you by hand, made in it",
        )
        parser.add_argument("--environment", default="", metavar="ENV-ID", help="this environment, by its id")

        parser.add_argument(
            "--attendees", type=Path, metavar="FILE", help="a class: the labs of all names in the file"
        )

    def work(self, options: dict[str, Any]) -> int:
        if options["plan"]:
            return self._work(options)
        with exclusively():
            return self._work(options)

    def _class(self, options: dict[str, Any]) -> int:
        """Shows everybody's list, asks one question, and takes all labs down at once."""
        names = attendees.read_names(options["attendees"])
        journal = Journal(journal_path(), keep=False)
        labs: dict[str, Session] = {}
        for name in names:
            desired = attendees.desired_for(configured(), name)
            session = self.begin(desired, options["yes"], keep=False, journal=journal)
            if drive(resolve_ownership(session), session.clock):
                labs[name] = session
                self._everything(session, options)
                self._list(session, options["everything"])
            else:
                self.print_text("Nothing of this lab stands.")
        if options["plan"] or not labs:
            return 0
        if not next(iter(labs.values())).ask(f"Delete all of this, of {counted(len(labs), 'attendee')}?"):
            raise Declined("Nothing was deleted.")
        journal.keep()
        everything = options["everything"]
        self.begun = "What was deleted is gone; the same command goes on from there."
        downs = {
            name: Destroy(session, attendees.config_for(journal_path(), name), everything=everything)
            for name, session in labs.items()
        }
        run(
            [step for name, down in downs.items() for step in attendees.labelled(name, down.steps())],
            self.clock,
            self.progress,
        )
        self.progress.leave()
        left = {name: down.left for name, down in downs.items() if down.left}
        for name, things in left.items():
            self.err.say(f"Left of {name}:", "bold red")
            for thing in things:
                self.print_item("  ", thing, error=True)
        if not left:
            self.print_text(f"\nNothing is left of the labs of {counted(len(labs), 'attendee')}.")
        return 1 if left else 0

    def _work(self, options: dict[str, Any]) -> int:
        if options["attendees"]:
            return self._class(options)
        if (
            not options["environment"]
            and stale_standin.unanswered(credentials())
            and self._unanswered(options)
        ):
            return 0
        session = self.begin(configured(), options["yes"], options["environment"], keep=False)
        source = drive(resolve_ownership(session), session.clock)
        if not source:
            return self._nothing(session, options["plan"])
        everything = self._everything(session, options)
        self._list(session, everything)
        if options["plan"]:
            self.print_text("\nNothing was touched; run without --plan to do it.")
            self._list_other_labs(session)
            return 0
        if source == TAG and options["yes"] and not session.adopt:
            environment = session.id("environment")
            raise Refused(
                "There is no journal on this machine, so what goes is known by the ownership tag alone; --yes then "
                "needs the environment's id.",
                f"If the list above is right:  manage.py teardown_confluent --yes --environment {environment}",
            )
        if not session.ask("Delete all of this?"):
            raise Declined("Nothing was deleted.")
        session.entry.keep()  # not before: after a no, the ownership tag has made no journal
        return self._down(session, everything)

    def _everything(self, session: Session, options: dict[str, Any]) -> bool:
        """Whether what others made goes too, which is only where the lab made the environment itself. Raises
        Refused."""
        if options["everything"] and session.need("environment").get("borrowed"):
            raise Refused(
                "--everything is only for an environment that the lab made itself; this one is yours, and was lent.",
                "Leave the option out: then what the lab made goes, and nothing else.",
            )
        return bool(options["everything"])

    def _unanswered(self, options: dict[str, Any]) -> bool:
        """Forgets a rehearsal whose stand-in is gone, and with it everything that there was to take down."""
        journal = Journal(journal_path())
        over = stale_standin.stale_entries(journal.all())
        if not over and not stale_standin.block_is_stale(config_path(), journal.all()):
            return False
        if options["plan"]:
            self.print_text(
                "This goes: what was rehearsed on a stand-in that is gone, and its block in config.yaml."
            )
        else:
            self._forget(over, journal.all(), self.asker(options["yes"]))
        self.list_other_labs([entry for entry in journal.all() if not stale_standin.stale_entries([entry])])
        return True

    def _list_other_labs(self, session: Session) -> None:
        self.list_other_labs(session.entry.others(), session.organization)

    def _nothing(self, session: Session, plan: bool) -> int:
        """Says that nothing stands. A block of ours may still be there, because somebody else's laptop took the lab
        down."""
        name = session.adopt or session.desired.journal_name
        self.print_text(f"Nothing of this lab stands: neither the journal nor an ownership tag names {name}.")
        for found in environment.named(session, session.desired.environment_name):
            self.print_text(
                f"The environment {found['display_name']} ({found['id']}) carries no ownership tag of this lab and "
                "was left alone."
            )
        if not plan:
            self.print_text(f"config.yaml: {clear_config(session, config_path())}.")
            self._after(session)
        else:
            self._list_other_labs(session)
        return 0

    def _after(self, session: Session) -> None:
        over = stale_standin.stale_entries(
            session.entry.others(), session.credentials.url, session.organization
        )
        self._forget(over, session.entry.others(), session.ask)
        self._list_other_labs(session)

    def _forget(self, over: list[Entry], known: list[Entry], ask: Ask) -> None:
        """Offers to forget labs on a stand-in that is gone: nothing can be taken down, and `make run` would wait
        for its Kafka."""
        gone = "on a stand-in that is gone. Forget it, and take its block out of config.yaml?"
        for entry in over:
            if ask(f"The journal holds a rehearsal, {entry.name}, {gone}"):
                stale_standin.forget(entry, config_path())
                self.print_text(f"Forgotten: {entry.name}. config.yaml holds no block of it.")
        if stale_standin.block_is_stale(config_path(), known) and ask(
            "config.yaml holds the block of a rehearsal on a stand-in that is gone. Take it out?"
        ):
            remove(config_path())
            self.print_text("config.yaml: our block taken out.")

    def _list(self, session: Session, everything: bool) -> None:
        with self.looking():
            found = current_state(session)
            others = foreign_things(session, found)
        self.print_text("This goes:")
        for kind, name in describe_all(session, found, others, everything):
            self.print_item(f"  {kind:<18}", name)
        if has_block(config_path()):
            self.print_item(f"  {'config.yaml':<18}", "our block in it")
        if others.all and not everything:
            self.print_text("\nIs all of it yours? --everything takes what the lab did not make as well.")

    def _down(self, session: Session, everything: bool) -> int:
        self.begun = "What was deleted is gone; the same command goes on from there."
        down = Destroy(session, config_path(), everything=everything)
        run(down.steps(), session.clock, self.progress)
        self.progress.leave()
        self.print_text("")
        for note in session.notes:
            self.print_text(f"Note: {note}")
        if down.left:
            self.err.say("Left:", "bold red")
            for thing in down.left:
                self.print_item("  ", thing, error=True)
            if running := len(down.others.statements):
                self.print_text(f"{sentence(running)} --hours does not stop them.", error=True)
            way_out = "When the reason is gone, run teardown_confluent again."
            if down.others.all:
                way_out = (
                    "Is all of that yours? Then:\n  manage.py teardown_confluent --everything\n"
                    "Else remove what you no longer need in the console, and run teardown_confluent again."
                )
            self.print_text(way_out, error=True)
            self._list_other_labs(session)
            return 1
        self.print_text(
            "Nothing of this lab is left on Confluent Cloud. The next `make run` is embedded again."
        )
        self._after(session)
        return 0
