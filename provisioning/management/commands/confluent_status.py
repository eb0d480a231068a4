"""manage.py confluent_status: what stands, since when, and about what it has cost."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Any

from provisioning import guard
from provisioning.claim import claim
from provisioning.client import JsonObject
from provisioning.console import CloudCommand, configured, journal_path
from provisioning.cost import SOURCE, Running, age, hourly, instant, so_far
from provisioning.resources import connection, environment, statements
from provisioning.session import Session
from provisioning.survey import Survey, look
from provisioning.waiting import drive

EXAMPLES = """
examples:
  manage.py confluent_status      after provision_confluent, and before you go home

It looks at what the journal names, or, without one, what the mark in the service account names.
The cost is an estimate from list prices, at one CFU for each query that stands, running or stopped; a busy query
takes more, and one that was deleted is not in it. The bill decides.
If provision_confluent --hours set a deadline, it makes sure that the cost guard is at work.
"""


class Command(CloudCommand):
    help = "Shows what of the lab stands on Confluent Cloud, since when, and its estimated cost."
    examples = EXAMPLES

    def work(self, options: dict[str, Any]) -> int:
        session = self.begin(configured(), yes=False, keep=False)
        if not drive(claim(session), session.clock):
            self.tell(f"Nothing of this lab stands on Confluent Cloud ({session.wanted.journal_name}).")
            self.tell_of_others(session.entry.others(), session.organization)
            return 0
        found = look(session)
        self._things(session, found)
        self._cost(session, found)
        if found.environment and environment.is_half(session):
            self.tell("A teardown of this lab was interrupted: run teardown_confluent to its end.")
        self.tell_of_others(session.entry.others(), session.organization)
        return 0

    def _things(self, session: Session, found: Survey) -> None:
        borrowed = bool(session.need("environment").get("borrowed"))
        self._thing(session, "Your environment" if borrowed else "Environment", found.environment)
        self._thing(session, "Kafka cluster", found.cluster)
        self._thing(session, "Flink pool", found.pool)
        self._thing(session, "Service account", found.account)
        self._row("API keys", f"{len(found.keys or {})} of 3", "")
        self._row("Topics", _count(found.topics), "")
        self._row("Schemas", _count(found.subjects), "")
        if found.connection:
            self._row("Bedrock connection", connection.told(session, found.connection), "")
        for statement in found.statements or []:
            since = instant(statement.get("metadata", {}).get("created_at"))
            why = statements.complaint(session, statement)
            name = f"{statement['name']}: {statements.phase(statement)}" + (f": {why}" if why else "")
            self._row("Flink statement", name, since_when(since, session.clock.utc()))

    def _thing(self, session: Session, kind: str, thing: JsonObject | None) -> None:
        if thing is None:
            self._row(kind, "gone", "")
            return
        spec = thing.get("spec", {})
        phase = thing.get("status", {}).get("phase", "")
        name = f"{spec.get('display_name') or thing.get('display_name')} ({thing['id']}) {phase}".rstrip()
        since = instant(thing.get("metadata", {}).get("created_at"))
        self._row(kind, name, since_when(since, session.clock.utc()))

    def _row(self, kind: str, name: str, since: str) -> None:
        first, *rest = textwrap.wrap(name, 66, break_on_hyphens=False)
        self.tell(f" {kind:<18}{first:<68}{since}".rstrip())
        for line in rest:
            self.tell(f" {'':<18}{line}")

    def _cost(self, session: Session, found: Survey) -> None:
        now = session.clock.utc()
        queries = [s for s in found.statements or [] if str(s["name"]).endswith("-query")]
        running = [s for s in queries if statements.phase(s) in statements.ACTIVE]
        spent = f"so far about ${so_far([_ran(s) for s in queries], now):.2f} at one CFU each"
        self.tell("")
        if found.statements is None:
            self.tell("Flink could not be asked (its API key is missing or refused): cost unknown.")
        elif running:
            self.tell(
                f"Running statements: {len(running)}, about ${hourly(len(running)):.2f} an hour; {spent} ({SOURCE})."
            )
        elif queries:
            self.tell(f"No statement runs; {spent} ({SOURCE}).")
        else:
            self.tell(
                "No statement runs: no price by the hour; Kafka's traffic and storage are billed by use."
            )
        self.tell(
            "The estimate counts the statements that stand, running or stopped; what was deleted is not in it."
        )
        self.tell("The bill decides: https://confluent.cloud/settings/billing")
        self._guard(session, bool(running))

    def _guard(self, session: Session, running: bool) -> None:
        until = guard.deadline(session.entry)
        if until is None or not running:
            return
        late = until <= session.clock.utc()
        self.tell(f"Cost guard: stops the statements at {guard.told(until)}. {guard.CANNOT}")
        if late:
            self.tell(
                "That time is past and they run: the guard was not at work, or Flink refuses it. It is (still) trying; "
                f"its words are in {journal_path().parent / guard.LOG}."
            )
        if not guard.start(journal_path(), session.organization, session.entry.name):
            self.tell(
                f"It did not start: see {journal_path().parent / guard.LOG}. Nothing stops the statements."
            )


def _ran(statement: JsonObject) -> Running:
    """One that ended did so when it was last changed."""
    known, ended = statement["metadata"], statements.phase(statement) not in statements.ACTIVE
    until = instant(known.get("updated_at")) if ended else None
    return Running(str(statement["name"]), instant(known.get("created_at")), until)


def since_when(since: datetime | None, now: datetime) -> str:
    return f"since {since.astimezone():%d %b %H:%M} ({age(since, now)})" if since else ""


def _count(names: list[str] | None) -> str:
    return (
        "not known: no usable key"
        if names is None
        else f"{len(names)}: {', '.join(names)}"
        if names
        else "none"
    )
