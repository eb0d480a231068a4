"""manage.py teardown_confluent: all of it gone again, and proof of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from provisioning import rehearsal
from provisioning.claim import MARK, claim
from provisioning.configfile import has_block, remove
from provisioning.console import CloudCommand, alone, config_path, configured, credentials, journal_path
from provisioning.errors import Refused
from provisioning.inventory import lines, wrapped
from provisioning.journal import Entry, Journal
from provisioning.runner import run
from provisioning.session import Ask, Session
from provisioning.survey import look, others
from provisioning.teardown import Teardown, clear_config
from provisioning.waiting import drive

EXAMPLES = """
examples:
  manage.py teardown_confluent --plan     what would go and what would stay; nothing is touched
  manage.py teardown_confluent            shows the list, asks once, deletes, audits
  manage.py teardown_confluent --yes      without the question

Lost the laptop with its journal? The mark in the service account still tells what is the lab's:
  manage.py teardown_confluent --yes --environment env-abc123

It deletes what the journal or the mark names, and nothing else. An environment that you lent
(confluent.environment_id) stays. Exit code 0: nothing is left. 1: something is, and it is listed.
"""


class Command(CloudCommand):
    help = "Deletes everything that the lab made on Confluent Cloud, and audits that it is gone."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--plan", action="store_true", help="show what would go; delete nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--environment", default="", metavar="ENV-ID", help="this environment, by its id")

    def work(self, options: dict[str, Any]) -> int:
        if options["plan"]:
            return self._work(options)
        with alone():
            return self._work(options)

    def _work(self, options: dict[str, Any]) -> int:
        if not options["environment"] and rehearsal.unanswered(credentials()) and self._unanswered(options):
            return 0
        session = self.begin(configured(), options["yes"], options["environment"], keep=False)
        told = drive(claim(session), session.clock)
        if not told:
            return self._nothing(session, options["plan"])
        self._list(session)
        if options["plan"]:
            self.tell("\nNothing was touched; run without --plan to do it.")
            self._tell_of_others(session)
            return 0
        self._agreed(session, told, options)
        session.entry.keep()  # not before: after a no, the mark has made no journal
        return self._down(session)

    def _unanswered(self, options: dict[str, Any]) -> bool:
        """After a rehearsal its stand-in is often gone first, and with it everything that there was to take down."""
        journal = Journal(journal_path())
        over = rehearsal.over(journal.all())
        if not over and not rehearsal.block_is_over(config_path(), journal.all()):
            return False
        if options["plan"]:
            self.tell(
                "This goes: what was rehearsed on a stand-in that is gone, and its block in config.yaml."
            )
        else:
            self._forget(over, journal.all(), self.asker(options["yes"]))
        self.tell_of_others([entry for entry in journal.all() if not rehearsal.over([entry])])
        return True

    def _tell_of_others(self, session: Session) -> None:
        self.tell_of_others(session.entry.others(), session.organization)

    def _nothing(self, session: Session, plan: bool) -> int:
        """A block of ours may still be there, for somebody else's hands took the lab down."""
        name = session.adopt or session.wanted.journal_name
        self.tell(f"Nothing of this lab stands: neither the journal nor a mark names {name}.")
        self.tell("What carries the name without this lab's mark is somebody else's and was left alone.")
        if not plan:
            self.tell(f"config.yaml: {clear_config(session, config_path())}.")
            self._after(session)
        else:
            self._tell_of_others(session)
        return 0

    def _after(self, session: Session) -> None:
        over = rehearsal.over(session.entry.others(), session.credentials.url, session.organization)
        self._forget(over, session.entry.others(), session.ask)
        self._tell_of_others(session)

    def _forget(self, over: list[Entry], known: list[Entry], ask: Ask) -> None:
        """Nothing can be taken down on a stand-in that is gone, and `make run` would wait for its Kafka."""
        gone = "on a stand-in that is gone. Forget it, and take its block out of config.yaml?"
        for entry in over:
            if ask(f"The journal holds a rehearsal, {entry.name}, {gone}"):
                rehearsal.forget(entry, config_path())
                self.tell(f"Forgotten: {entry.name}. config.yaml holds no block of it.")
        if rehearsal.block_is_over(config_path(), known) and ask(
            "config.yaml holds the block of a rehearsal on a stand-in that is gone. Take it out?"
        ):
            remove(config_path())
            self.tell("config.yaml: our block taken out.")

    def _list(self, session: Session) -> None:
        self.tell("This goes:")
        found = look(session)
        for line in lines(session, found, others(session, found)):
            self.tell(wrapped(line))
        if has_block(config_path()):
            self.tell("  config.yaml       our block in it")

    def _agreed(self, session: Session, told: str, options: dict[str, Any]) -> None:
        if told == MARK and options["yes"] and not session.adopt:
            environment = session.id("environment")
            raise Refused(
                "There is no journal on this machine, so what goes is known by the mark alone; --yes then needs the "
                "environment's id.",
                f"If the list above is right:  manage.py teardown_confluent --yes --environment {environment}",
            )
        if not session.ask("Delete all of this?"):
            raise Refused("Nothing was deleted.")

    def _down(self, session: Session) -> int:
        down = Teardown(session, config_path())
        run(down.steps(), session.clock, self.progress)
        self.progress.leave()
        self.tell("")
        for note in session.notes:
            self.tell(f"Note: {note}")
        if down.left:
            self.stderr.write("Left:")
            for thing in down.left:
                self.tell(f"  {thing}", error=True)
            self.tell(
                "Remove what is not the lab's in the console, then run teardown_confluent again.", error=True
            )
            self._tell_of_others(session)
            return 1
        self.tell("Nothing of this lab is left on Confluent Cloud. The next `make run` is embedded again.")
        self._after(session)
        return 0
