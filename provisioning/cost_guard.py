"""The cost guard of --hours: a small process of its own that stops the running statements when the time is up.

Why a process: Flink on Confluent Cloud has no end time for an INSERT. The nearest thing, a source bounded by a
timestamp, is resolved when the statement starts, and an instant in the future resolves to the newest offset: the
statement would end at once. So this machine keeps the time. What that cannot do: act while the machine is off or
asleep (it acts as soon as it is awake; after a restart the next provisioning command starts it again), and stop what
is not a statement: the cluster's traffic and storage.

It reads the journal, so that no secret stands in its arguments; a deadline moved or a lab torn down is noticed there.

It ends only while no command is at work. One that is may have set a new deadline since the guard last looked, or be
about to start queries: it believes that a guard watches, and there would be none.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisioning.client import Client
from provisioning.clock import Clock
from provisioning.config import Credentials, DesiredState
from provisioning.cost import instant
from provisioning.errors import ProvisioningError, Refused
from provisioning.journal import Entry, Journal, only_one
from provisioning.resources import flink_statements, statement_words
from provisioning.session import Session
from races.lib.spelling import write_anywhere
from races.streams.redaction import Redactor

log = logging.getLogger("provisioning.cost_guard")
LOOK_EVERY_S = 20.0
LOOK_AGAIN_S = 5.0  # once the time is up, until all is stopped
LONGEST_PAUSE_S = 300.0
GIVE_UP_AFTER = 290  # tries: about a day
LOG = "guard.log"
SLOT = "until"
PRIVATE = ("CONFLUENT_", "AWS_", "DJANGO_", "DATABASE_")
GIVEN_UP = "given up: see confluent.cloud for statements that still run"
CANNOT = "It cannot act while this machine is off or asleep, and it does not stop the cluster's traffic and storage."


def set_deadline(session: Session, hours: float) -> None:
    until = session.clock.utc() + timedelta(hours=hours)
    session.entry.put(SLOT, until.isoformat(timespec="seconds"))


def deadline(entry: Entry) -> datetime | None:
    return instant(entry.get(SLOT))


def arm(session: Session, journal: Path) -> str:
    """Starts the guard before the queries start, so that they end whatever becomes of this command. Raises
    ProvisioningError."""
    hours, entry = session.desired.hours, session.entry
    until = deadline(entry)
    if hours is not None:
        set_deadline(session, hours)
    elif until is not None and until <= session.clock.utc():
        entry.drop(SLOT)  # the statements are resumed after their time was up: it must not stop them again
    until = deadline(entry)
    if until is None:
        return "none: no --hours"
    if not start(journal, session.organization, entry.name):
        raise ProvisioningError(
            "The cost guard of --hours did not start, so no query was started.",
            f"Its words are in {journal.parent / LOG}. Without --hours the queries run until they are taken down.",
        )
    return f"stops the statements at {format_deadline(until)}"


def format_deadline(until: datetime) -> str:
    return until.astimezone().strftime("%a %d %b %H:%M")


def start(journal: Path, organization: str, name: str) -> bool:
    """Starts a guard that outlives this command and its terminal. A second one ends at once, by the lock.

    True once it says that it watches, or that another one does.
    """
    environ = {k: v for k, v in os.environ.items() if not k.startswith(PRIVATE)}
    arguments = [sys.executable, "-m", "provisioning.cost_guard", str(journal.absolute()), organization, name]
    with (journal.parent / LOG).open("a", encoding="utf-8") as output:
        process = subprocess.Popen(  # noqa: S603  (this program, with arguments of ours)
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            env=environ,
            cwd=Path(__file__).resolve().parent.parent,
            start_new_session=True,
        )
    with process.stdout or contextlib.nullcontext(io.BytesIO()) as said:
        started = bool(said.readline())
    process.returncode = process.poll() or 0  # it is not waited for: it outlives us
    return started


def watch(
    journal: Path,
    organization: str,
    name: str,
    sleep: Callable[[float], None],
    now: Callable[[], datetime],
    leave: Callable[[], None] = lambda: None,
) -> None:
    """Waits until the deadline has passed and all is stopped, or until there is no deadline any more. Then leave is
    called.

    It gives up after a day of trying: a stand-in that is gone would keep it for ever. Hours asleep do not count.
    """
    failed, guarded = 0, Guarded(journal, organization, name, now)
    while True:
        left = guarded.left()
        if left > 0:  # short naps: a machine that was asleep must notice at once how late it is
            failed = 0
            sleep(min(LOOK_EVERY_S, max(left, 1.0)))
            continue
        quiet = guarded.unless_at_work(lambda: True)  # before the look: a command may start queries after it
        try:
            over = guarded.over()
        except ProvisioningError:
            failed += 1
            over = GIVEN_UP if failed >= GIVE_UP_AFTER else ""
        if over and quiet and guarded.unless_at_work(lambda: guarded.ends(leave)):
            log.info("%s", over)
            return
        sleep(min(LOOK_AGAIN_S * 2**failed, LONGEST_PAUSE_S))


@dataclass(frozen=True)
class Guarded:
    """One entry of the journal. It is read anew each time: a command may have written it meanwhile."""

    journal: Path
    organization: str
    name: str
    now: Callable[[], datetime]

    def left(self) -> float:
        """Gives the seconds until the statements are to stop, and 0 if there is nothing to stop or no key to do it
        with."""
        entry = self._entry()
        until = deadline(entry)
        return (until - self.now()).total_seconds() if until and entry.get("keys") else 0.0

    def over(self) -> str:
        """Stops what runs, and says why nothing is left to do, if so. Raises ProvisioningError."""
        entry = self._entry()
        if deadline(entry) is None or not entry.get("keys"):
            return "nothing to watch any more"
        return "" if self._stopped_some(entry) else "the time is up, and nothing runs"

    def unless_at_work(self, then: Callable[[], bool]) -> bool:
        """Returns what then says, and False while a command is at work. No command starts meanwhile.

        A command that has armed this guard counts on it, though its queries run only later.
        """
        if not self.journal.parent.exists():  # nor is one made for the lock
            return then()
        try:
            with only_one(self.journal):
                return then()
        except Refused:
            return False

    def ends(self, leave: Callable[[], None]) -> bool:
        """Ends the guard, unless a command has set another deadline since the look."""
        if self.left() > 0:
            return False
        leave()  # before a command can start, so that its guard is not refused by one that ends
        return True

    def _entry(self) -> Entry:
        return Journal(self.journal).entry(self.organization, self.name)

    def _stopped_some(self, entry: Entry) -> bool:
        """Stops what runs and returns whether anything did. Raises ProvisioningError for a network that has
        trouble."""
        # Only Flink's own key is used; the Cloud API key is not needed, and not here.
        redact, clock = Redactor(), Clock()
        nothing = DesiredState("", "", "", "", "", "", 0, "", "", {}, False, "")
        credentials = Credentials("https://api.confluent.cloud", "", "")
        session = Session(
            nothing,
            credentials,
            Client(redact, clock),
            clock,
            redact,
            entry,
            self.organization,
            lambda _: False,
        )
        try:
            running = [
                str(s["name"])
                for s in flink_statements.ours(session)
                if statement_words.phase(s) in flink_statements.ACTIVE
            ]
            for name in running:
                if deadline(self._entry()) != deadline(entry):  # a command has moved it
                    break
                if flink_statements.stop(session, name):
                    log.info("the time is up: stopped %s", name)
                else:  # its place in the stream goes with it, but so does its cost
                    session.api("flink").remove(flink_statements.path(session, name))
                    log.info("the time is up: deleted %s, which the service did not stop", name)
        except ProvisioningError as error:
            log.warning("%s", session.redact(str(error)))
            raise
        return bool(running)


def main(journal: Path, organization: str, name: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        with contextlib.ExitStack() as mine:
            mine.enter_context(only_one(lock_of(journal, organization, name)))
            Journal(journal)  # one that cannot be read is an error before it says that it watches
            _print_line("watching")
            watch(journal, organization, name, time.sleep, lambda: datetime.now(UTC), mine.close)
    except Refused:
        _print_line("another one watches")


def lock_of(journal: Path, organization: str, name: str) -> Path:
    """Gives the lock of one entry of the journal. It is a digest, because names that look alike as files are not
    the same."""
    digest = hashlib.sha256(f"{organization}/{name}".encode()).hexdigest()[:16]
    return journal.with_name(f"guard-{digest}")


def _print_line(text: str) -> None:
    """Prints a line to whoever started this process, waits for the line, and then listens no more."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    write_anywhere()
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
