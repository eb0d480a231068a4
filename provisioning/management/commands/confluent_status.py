"""manage.py confluent_status: what stands, since when, and about what it has cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from provisioning import cost_guard
from provisioning.api import JsonObject, part
from provisioning.cli import CloudCommand, configured, counted, journal_path
from provisioning.cost import SOURCE, Running, age, hourly, instant, so_far
from provisioning.destroy import LEFT
from provisioning.layout import line_width
from provisioning.ownership import resolve_ownership
from provisioning.resources import bedrock_connection, environment, flink_statements, statement_words
from provisioning.resources.foreign import ForeignResources
from provisioning.session import Session
from provisioning.status import CurrentState, current_state, foreign_things, unread
from provisioning.steps import drive

EXAMPLES = """
examples:
  manage.py confluent_status
      after provision_confluent, and before you go home

It looks at what the journal names, or, without one, what the ownership tag in
the service account names. What was made by hand in the lab's environment is
shown and counted too. The cost is an estimate from list prices, at one CFU for
each query that stands, running or stopped; a busy query takes more, and one
that was deleted is not in it. The bill decides. If provision_confluent --hours
set a deadline, it makes sure that the cost guard is at work.

Exit code 1: a statement is FAILED, or something of the lab's cannot be read.
"""
KIND_WIDTH = 21


class Command(CloudCommand):
    help = "Shows what of the lab stands on Confluent Cloud, and its estimated cost."
    examples = EXAMPLES

    def work(self, options: dict[str, Any]) -> int:
        session = self.begin(configured(), yes=False, keep=False)
        if not drive(resolve_ownership(session), session.clock):
            self.print_text(
                f"Nothing of this lab stands on Confluent Cloud ({session.desired.journal_name})."
            )
            self.list_other_labs(session.entry.others(), session.organization)
            return 0
        with self.looking():
            found = current_state(session)
            others = foreign_things(session, found)
        self._things(session, found)
        self._foreign(session, others)
        self._cost(session, found, others)
        code = self._troubles(session, found)
        self.list_other_labs(session.entry.others(), session.organization)
        return code

    def _things(self, session: Session, found: CurrentState) -> None:
        borrowed = bool(session.need("environment").get("borrowed"))
        self._thing(session, "Your environment" if borrowed else "Environment", found.environment)
        self._thing(session, "Kafka cluster", found.cluster)
        self._thing(session, "Flink pool", found.pool)
        self._thing(session, "Service account", found.account)
        self._row("API keys", f"{len(found.keys or {})} of 3", "")
        self._row("Topics", _count(found.topics), "")
        self._row("Schemas", _count(found.subjects), "")
        if found.connection:
            self._row("Bedrock connection", bedrock_connection.describe(session, found.connection), "")
        for statement in found.statements or []:
            self._statement(session, statement)

    def _statement(self, session: Session, statement: JsonObject) -> None:
        since = instant(part(statement, "metadata").get("created_at"))
        why = statement_words.complaint(session, statement)
        name = f"{statement['name']}: {statement_words.phase(statement)}" + (f": {why}" if why else "")
        self._row("Flink statement", name, since_when(since, session.clock.utc()))
        for warning in statement_words.warnings(session, statement):
            self._row("", f"The service warns: {warning}", "")

    def _foreign(self, session: Session, others: ForeignResources) -> None:
        """Prints what a learner made by hand: it runs, costs, and holds the environment at a teardown."""
        if not (others.all or others.along):
            return
        self.print_text("\nNot made by this command (by hand, or by others):")
        for statement in others.statements:
            self._statement(session, statement)
        for name in (*others.all, *others.along):
            if not name.startswith("the Flink statement"):
                self._row("", name.removeprefix("the "), "")

    def _thing(self, session: Session, kind: str, thing: JsonObject | None) -> None:
        if thing is None:
            self._row(kind, "gone", "")
            return
        spec = part(thing, "spec")
        phase = part(thing, "status").get("phase") or ""
        name = f"{spec.get('display_name') or thing.get('display_name')} ({thing['id']}) {phase}".rstrip()
        since = instant(part(thing, "metadata").get("created_at"))
        self._row(kind, name, since_when(since, session.clock.utc()))

    def _row(self, kind: str, name: str, since: str) -> None:
        """Prints a row. The time stands behind the name where both fit in a line, else below it."""
        head = f" {kind:<{KIND_WIDTH}}"
        whole = f"{name}  {since}".rstrip()
        if len(head) + len(whole) <= line_width():
            self.print_text(f"{head}{whole}".rstrip())
            return
        self.print_item(head, name)
        if since:
            self.print_item(" " * len(head), since)

    def _cost(self, session: Session, found: CurrentState, others: ForeignResources) -> None:
        now = session.clock.utc()
        ours = [s for s in found.statements or [] if str(s["name"]).endswith("-query")]
        queries = [*ours, *others.statements]
        running = [s for s in queries if statement_words.phase(s) in flink_statements.ACTIVE]
        spent = f"so far about ${so_far([_ran(s) for s in queries], now):.2f} at one CFU each"
        by_hand = sum(s in others.statements for s in running)
        self.print_text("")
        if found.statements is None:
            self.print_text("Flink could not be asked (its API key is missing or refused): cost unknown.")
        elif running:
            made_so = f" ({by_hand} of them made by hand)" if by_hand else ""
            self.print_text(
                f"Running statements: {len(running)}{made_so}, about ${hourly(len(running)):.2f} an hour; {spent} "
                f"({SOURCE})."
            )
        elif queries:
            self.print_text(f"No statement runs; {spent} ({SOURCE}).")
        else:
            self.print_text(
                "No statement runs: no price by the hour; Kafka's traffic and storage are billed by use."
            )
        self.print_text(
            "The estimate counts the statements that stand, running or stopped; what was deleted is not in it."
        )
        self.print_text("The bill decides: https://confluent.cloud/settings/billing")
        self._guard(session, len(running) > by_hand)

    def _guard(self, session: Session, running: bool) -> None:
        until = cost_guard.deadline(session.entry)
        if until is None or not running:
            return
        late = until <= session.clock.utc()
        self.print_text(
            f"Cost guard: stops the lab's statements at {cost_guard.format_deadline(until)}. {cost_guard.CANNOT}"
        )
        if late:
            self.print_text(
                "That time is past and they run: the guard was not at work, or Flink refuses it. It is (still) trying; "
                f"its words are in {journal_path().parent / cost_guard.LOG}."
            )
        if not cost_guard.start(journal_path(), session.organization, session.entry.name):
            self.print_text(
                f"It did not start: see {journal_path().parent / cost_guard.LOG}. Nothing stops the statements."
            )

    def _troubles(self, session: Session, found: CurrentState) -> int:
        """Prints what a person has to do something about, which stands last, and returns the exit code."""
        troubles = list(_troubles(session, found))
        for trouble in troubles:
            self.print_text(f"\n{trouble}")
        if left := session.entry.get(LEFT):
            self.print_text("\nThe last teardown had to leave:")
            for thing in left:
                self.print_item("  ", thing)
        return 1 if troubles else 0


def _troubles(session: Session, found: CurrentState) -> Iterator[str]:
    failed = [str(s["name"]) for s in found.statements or [] if statement_words.phase(s) == "FAILED"]
    if failed:
        yield (
            f"{counted(len(failed), 'statement')} FAILED: {', '.join(failed)}. provision_confluent, run again, starts "
            "them anew."
        )
    if blind := unread(found):
        yield (
            f"Not looked into: {', '.join(blind)}. The API keys are missing or refused; provision_confluent or "
            "teardown_confluent makes them anew."
        )
    if found.environment and environment.is_half(session):
        yield "A teardown of this lab was interrupted: run teardown_confluent to its end."


def _ran(statement: JsonObject) -> Running:
    """Gives the time that a statement ran. One that ended did so when it was last changed."""
    known = part(statement, "metadata")
    ended = statement_words.phase(statement) not in flink_statements.ACTIVE
    until = instant(known.get("updated_at")) if ended else None
    return Running(str(statement["name"]), instant(known.get("created_at")), until)


def since_when(since: datetime | None, now: datetime) -> str:
    return f"since {since.astimezone():%d %b %H:%M} ({age(since, now)})" if since else ""


def _count(names: list[str] | None) -> str:
    if names is None:
        return "not known: no usable key"
    return f"{len(names)}: {', '.join(names)}" if names else "none"
