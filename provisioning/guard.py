"""The cost guard of --hours: a small process of its own that stops the running statements when the time is up.

Why a process: Flink on Confluent Cloud has no end time for an INSERT. The nearest thing, a source bounded by a
timestamp, is resolved when the statement starts, and an instant in the future resolves to the newest offset: the
statement would end at once. So this machine keeps the time. What that cannot do: act while the machine is off or
asleep (it acts as soon as it is awake; after a restart the next provisioning command starts it again), and stop what
is not a statement: the cluster's traffic and storage.

It reads the journal, so that no secret stands in its arguments; a deadline moved or a lab torn down is noticed there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisioning.client import Client
from provisioning.clock import Clock
from provisioning.cost import instant
from provisioning.errors import ApiError, ProvisioningError, Refused
from provisioning.journal import Entry, Journal, only_one
from provisioning.resources import statements
from provisioning.scrub import Scrubber
from provisioning.session import Session
from provisioning.wanted import Credentials, Names, Wanted

log = logging.getLogger("provisioning.guard")
LOOK_EVERY_S = 20.0
LOOK_AGAIN_S = 5.0  # once the time is up, until all is stopped
SLOT = "until"
PRIVATE = ("CONFLUENT_", "AWS_", "DJANGO_", "DATABASE_")
CANNOT = "It cannot act while this machine is off or asleep, and it does not stop the cluster's traffic and storage."


def set_deadline(session: Session, hours: float) -> str:
    until = session.clock.utc() + timedelta(hours=hours)
    session.entry.put(SLOT, until.isoformat(timespec="seconds"))
    return until.astimezone().strftime("%a %d %b %H:%M")


def deadline(entry: Entry) -> datetime | None:
    return instant(entry.get(SLOT))


def start(journal: Path, organization: str, name: str) -> None:
    """Detached: it outlives this command and its terminal. A second one ends at once, by the lock."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(PRIVATE)}
    arguments = [sys.executable, "-m", "provisioning.guard", str(journal), organization, name]
    with (journal.parent / "guard.log").open("a", encoding="utf-8") as output:
        subprocess.Popen(  # noqa: S603
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
            cwd=Path(__file__).resolve().parent.parent,
            start_new_session=True,
        )


def watch(
    journal: Path, organization: str, name: str, sleep: Callable[[float], None], now: Callable[[], datetime]
) -> None:
    """Until the deadline has passed and all is stopped, or there is no deadline any more."""
    while True:
        entry = Journal(journal).entry(organization, name)
        until = deadline(entry)
        if until is None or not entry.get("keys"):
            log.info("nothing to watch any more")
            return
        left = (until - now()).total_seconds()
        if left <= 0 and _stopped(entry, organization):
            return
        # short naps: a machine that was asleep must notice at once how late it is
        sleep(min(LOOK_EVERY_S, max(left, 1.0)) if left > 0 else LOOK_AGAIN_S)


def _stopped(entry: Entry, organization: str) -> bool:
    """True once nothing of ours runs. Trouble with the network is waited out."""
    session = _session(entry, organization)
    try:
        running = [
            str(s["name"]) for s in statements.ours(session) if statements.phase(s) in statements.ACTIVE
        ]
        for name in running:
            statements.stop(session, name)
            log.info("the time is up: stopped %s", name)
    except ApiError as error:
        log.warning("%s", session.scrub(str(error)))
        return error.gone
    except ProvisioningError as error:
        log.warning("%s", session.scrub(str(error)))
        return False
    return not running


def _session(entry: Entry, organization: str) -> Session:
    """Only Flink's own key is used; the Cloud API key is not needed, and not here."""
    scrub, clock = Scrubber(), Clock()
    nothing = Wanted("", "", "", "", "", "", 0, "", "", {}, False, "")
    credentials = Credentials("https://api.confluent.cloud", "", "")
    return Session(
        nothing, credentials, Client(scrub, clock), clock, scrub, entry, organization, lambda _: False
    )


def main(journal: Path, organization: str, name: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    lock = journal.with_name(Names(name).statement("guard"))  # any name makes a file's name this way
    with contextlib.suppress(Refused), only_one(lock):
        watch(journal, organization, name, time.sleep, lambda: datetime.now(UTC))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
