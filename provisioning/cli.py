"""What the three commands share: the configuration, questions, and errors as words."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from provisioning import stale_standin
from provisioning.clock import Clock
from provisioning.config import DEFAULT_URL, Credentials, DesiredState, read_credentials, read_desired_state
from provisioning.cost import hourly
from provisioning.errors import LOOPBACK, Declined, ProvisioningError, Refused
from provisioning.journal import INTENTS, Entry, Journal, only_one
from provisioning.layout import hanging, wrap
from provisioning.private_file import remove_leftovers
from provisioning.progress import Shown, Silent, progress_on
from provisioning.session import Session, open_session
from races.lib.terminal import Terminal
from races.streams.redaction import Redactor

DECLINED, INTERRUPTED = 3, 130
DJANGOS_OWN = (
    "--version",
    "--verbosity",
    "--settings",
    "--pythonpath",
    "--traceback",
    "--no-color",
    "--force-color",
    "--skip-checks",
)


def journal_path() -> Path:
    named = settings.VARIABLES.get("F1_JOURNAL")
    return Path(named).absolute() if named else Path(settings.BASE_DIR) / ".confluent" / "journal.json"


@contextmanager
def exclusively() -> Iterator[None]:
    """Keeps other commands out, and removes what a killed one left half-written."""
    with only_one(journal_path()):
        remove_leftovers(config_path())
        remove_leftovers(journal_path())
        yield


def config_path() -> Path:
    return Path(settings.LAB.path)


class CloudCommand(BaseCommand):
    """Ends with a message, never with a traceback that could hold a secret."""

    requires_system_checks: list[str] = []
    clock = Clock()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.redact = Redactor()
        self.progress: Shown = Silent()
        self.session: Session | None = None
        self.begun = ""  # what an interruption has to say, once something was changed

    examples = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """The examples keep their lines, and --help fits on a screen."""
        kwargs |= {"epilog": self.examples, "formatter_class": argparse.RawDescriptionHelpFormatter}
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        for action in parser._actions:
            if any(option in DJANGOS_OWN for option in action.option_strings):
                action.help = argparse.SUPPRESS
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        coloured = False if options.get("no_color") else options.get("force_color") or None
        self.out = Terminal(options.get("stdout") or sys.stdout, self.redact, coloured)
        self.err = Terminal(options.get("stderr") or sys.stderr, self.redact, coloured)
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = self.work(options)
        except Declined as error:
            code = self._failed(str(error), DECLINED)
        except ProvisioningError as error:
            code = self._failed(str(error))
        except KeyboardInterrupt:
            code = self._interrupted("Interrupted.")
        except BrokenPipeError:  # … | head
            _silence(sys.stdout)
            try:
                code = self._interrupted("Nobody reads the output any more, so the command has ended.")
            except BrokenPipeError:  # … 2>&1 | head
                _silence(sys.stderr)
                code = INTERRUPTED
        except Exception as error:
            # a file that is somebody else's, a disk that is full or read-only
            if isinstance(error, OSError) and error.filename:
                words = f"{error.filename} cannot be used: {error.strerror}."
            else:
                words = f"This should not happen:\n{traceback.format_exc()}"
            code = self._failed(words)
        if code:
            self._still_costs()
            sys.exit(code)

    def _interrupted(self, how: str) -> int:
        self.progress.leave()
        self.print_text(f"\n{how} {self.begun or 'Nothing was changed.'}", error=True)
        return INTERRUPTED

    def _still_costs(self) -> None:
        """Prints what still costs, by the journal alone: there may be no network."""
        queries = (self.session.entry.get("queries") or []) if self.session else []
        if queries:
            self.print_text(
                f"\nFlink queries of this lab may be running, at about ${hourly(len(queries)):.2f} an hour: "
                f"{', '.join(queries)}. confluent_status shows them, teardown_confluent ends them.",
                error=True,
            )

    def work(self, options: dict[str, Any]) -> int:
        """Does what the command is for, and returns the exit code."""
        raise NotImplementedError

    def _failed(self, text: str, code: int = 1) -> int:
        self.progress.leave()
        first, _, rest = self.redact(text).partition("\n")
        self.print_text("", error=True)
        self.err.say(wrap(first), "bold red")
        if rest:
            self.print_text(rest, error=True)
        return code

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Says that the service is being asked: a whole lab takes dozens of calls, and some seconds."""
        words = "Looking at what stands."
        if self.out.is_live:
            with self.out.console.status(words):
                yield
        else:
            self.print_text(words)
            yield

    def print_item(self, head: str, text: str, error: bool = False) -> None:
        """Prints an item of a list."""
        for line in hanging(head, self.redact(text)):
            self.print_text(line, error)

    def say(self, text: str) -> None:
        """Prints a sign of life in a long wait, below whatever shows the progress."""
        self.progress.leave()
        self.print_text(f"  {text}")

    def print_text(self, text: str, error: bool = False) -> None:
        """Sentences are wrapped; what is indented (lists, commands) stays as it is."""
        out = self.err if error else self.out
        for line in self.redact(text).split("\n"):
            out.say(line if line.startswith(" ") else wrap(line))

    def begin(
        self,
        wanted: DesiredState,
        yes: bool,
        adopt: str = "",
        keep: bool = True,
        by_name: bool = False,
        journal: Journal | None = None,
    ) -> Session:
        """Opens a session and shows the progress. keep False: the journal is read and not written. by_name: see
        open_session."""
        known = credentials()
        rehearsal = "" if known.url == DEFAULT_URL else f" at {known.url} (CONFLUENT_CLOUD_URL)"
        self.print_text(f"Confluent Cloud{rehearsal}, environment {adopt or wanted.journal_name}")
        session = open_session(
            wanted,
            known,
            journal_path(),
            self.asker(yes),
            self.clock,
            adopt,
            keep=keep,
            by_name=by_name,
            redact=self.redact,
            unattended=yes,
            say=self.say,
            journal=journal,
        )
        self.session = session
        self.progress = progress_on(self.out)
        return session

    def list_other_labs(self, entries: list[Entry], organization: str = "") -> None:
        """Names the other labs of the journal: looking at one must not hide what another costs."""
        for entry in entries:
            made = entry.get("environment")
            if made and entry.organization == organization:
                self.print_text(
                    f"\nThe journal holds another lab, {entry.name} ({made['id']}). To take it down:"
                )
                self.print_text(f"  manage.py teardown_confluent --environment {made['id']}")
            elif made or entry.get(INTENTS):
                self.print_text(
                    f"\nThe journal holds another lab, {entry.name}{_elsewhere(entry, organization)}."
                )

    def asker(self, yes: bool) -> Callable[[str], bool]:
        def ask(question: str) -> bool:
            self.progress.leave()
            if yes:
                self.print_text(f"{question} Yes (--yes).")
                return True
            if not sys.stdin.isatty():
                raise Refused(
                    f"A question needs an answer: {question}", "Run it on a terminal, or with --yes."
                )
            self.print_text("")
            try:
                prompt = f"{wrap(self.redact(question))} [y/N] "
                while True:
                    said = input(prompt).strip().lower()
                    if said in ("", "n", "no", "y", "yes"):
                        return said in ("y", "yes")
                    prompt = f"{said}? Please answer y or n: "
            except EOFError:  # Ctrl-D
                return False

        return ask


def _silence(stream: TextIO) -> None:
    """Sends the rest of the output nowhere: Python flushes it at the end, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _elsewhere(entry: Entry, organization: str) -> str:
    """Says where another lab stands, and how to get at it."""
    if entry.organization == organization:
        return ", whose making was interrupted: confluent.environment_name in config.yaml chooses it"
    host, port = stale_standin.place(entry)
    if host in LOOPBACK:
        return f", on a stand-in at {host}:{port}"
    identity = (entry.get("environment") or {}).get("id", "no id yet")
    return f" ({identity}), in another organisation: a Cloud API key of that one opens it"


def credentials() -> Credentials:
    return read_credentials(settings.LAB.confluent, settings.VARIABLES)


def configured(engine: str = "", hours: float | None = None) -> DesiredState:
    lab = settings.LAB
    wanted = read_desired_state(
        lab.confluent,
        lab.topics,
        bool(lab.anomaly_detection),
        engine or lab.wanted_engine,
        settings.VARIABLES,
    )
    group = lab.kafka.group if lab.kafka is not None else wanted.consumer_group
    return replace(wanted, hours=hours, consumer_group=group, flink_model=lab.commentary.flink_model)
