"""What this lab made, written down before anything else happens: .confluent/journal.json, readable by its owner only.

One entry for each environment, under "<organisation id>/<environment's name>", so that a rehearsal on the stand-in
and the real thing, or two environments of one person, never mix. An entry holds ids, the keys' secrets, and
intents. An intent is written before each POST and says which ids of that name stood before it: after a lost
answer or a killed command, whatever else carries the name since then is ours.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError, Refused
from provisioning.private_file import write_private

Record = dict[str, Any]
INTENTS = "intents"
SOON_S = 0.3


class Journal:
    """Holds all entries of the file. keep False is for a look without a write: records stay in memory, until
    keep()."""

    def __init__(self, path: Path, keep: bool = True) -> None:
        self.path, self._keep = path, keep
        self._data: Record = {}
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise ProvisioningError(
                f"The journal {path} cannot be read ({type(error).__name__}).",
                "It says what this lab made. Restore it, or move it away: the account's ownership tag is then used.",
            ) from None
        if not isinstance(data, dict):
            raise ProvisioningError(f"The journal {path} is not a journal of this lab; move it away.")
        self._data = data

    def entry(self, organization: str, name: str) -> Entry:
        """The entry of that environment; it is written with its first record."""
        return Entry(self, f"{organization}/{name}")

    def entries(self, organization: str) -> list[Entry]:
        return [Entry(self, key) for key in self._data if key.startswith(f"{organization}/")]

    def all(self) -> list[Entry]:
        return [Entry(self, key) for key in self._data]

    def others(self, than: str) -> list[Entry]:
        return [Entry(self, key) for key in self._data if key != than]

    def records(self, key: str) -> Record:
        return dict(self._data.get(key, {}))

    def keep(self) -> None:
        self._keep = True
        self._save()

    def write(self, key: str, records: Record) -> None:
        if records:
            self._data[key] = records
        else:
            self._data.pop(key, None)
        self._save()

    def _save(self) -> None:
        if not self._keep:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.path, json.dumps(self._data, indent=2) + "\n")


class Entry:
    """One environment's records. Every change is on the disk before the call returns."""

    def __init__(self, journal: Journal, key: str) -> None:
        self._journal, self._key = journal, key

    @property
    def name(self) -> str:
        return self._key.partition("/")[2]

    @property
    def organization(self) -> str:
        return self._key.partition("/")[0]

    @property
    def flink_access(self) -> Path:
        """Gives the file in which the lab finds its way to this environment's Flink, for the SQL workspace. It
        holds a secret."""
        return self._journal.path.with_name("flink.json")

    def others(self) -> list[Entry]:
        """The entries of other environments and other organisations."""
        return self._journal.others(self._key)

    def get(self, slot: str) -> Any:
        return self._journal.records(self._key).get(slot)

    def put(self, slot: str, value: Any, intent: str = "") -> None:
        """Records, and forgets the intent that led to it, in one write."""
        records = self._journal.records(self._key)
        records[slot] = value
        records[INTENTS] = {k: v for k, v in records.get(INTENTS, {}).items() if k != (intent or slot)}
        self._journal.write(self._key, _without_empty(records))

    def put_all(self, records: Record) -> None:
        """Writes several records at once, so that no kill comes between them."""
        self._journal.write(self._key, self._journal.records(self._key) | records)

    def drop(self, slot: str) -> None:
        records = self._journal.records(self._key)
        if slot in records:
            del records[slot]
            self._journal.write(self._key, records)

    def intent(self, slot: str) -> Record | None:
        found: Record | None = (self.get(INTENTS) or {}).get(slot)
        return found

    def intend(self, slot: str, before: list[str], since: str) -> None:
        intents = dict(self.get(INTENTS) or {})
        self._write_intents(intents | {slot: {"before": before, "since": since}})

    def settle(self, slot: str) -> None:
        """Forgets an intent that came to nothing."""
        intents = self.get(INTENTS) or {}
        if slot in intents:
            self._write_intents({k: v for k, v in intents.items() if k != slot})

    def _write_intents(self, intents: Record) -> None:
        records = self._journal.records(self._key)
        self._journal.write(self._key, _without_empty(records | {INTENTS: intents}))

    def keep(self) -> None:
        """The journal is written from here on: something is about to change."""
        self._journal.keep()

    def forget(self) -> None:
        self._journal.write(self._key, {})


def _without_empty(records: Record) -> Record:
    return {slot: value for slot, value in records.items() if slot != INTENTS or value}


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Lets no two commands at one journal. The lock ends with its process, also with kill -9."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(handle):
            # A cost guard holds the lock for a moment when it looks whether a command is at work.
            time.sleep(SOON_S)
            if not _lock(handle):
                raise Refused(
                    "Another provision_confluent or teardown_confluent is at work here.",
                    "Wait until it ended.",
                )
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
