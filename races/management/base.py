"""What the project's commands share: help with its own line breaks, output without secrets, and one-line errors
instead of a traceback.
"""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS, RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import InterfaceError, OperationalError, ProgrammingError

from races.lib.terminal import Terminal
from races.streams.redaction import Redactor, secrets_of


class LabCommand(BaseCommand):
    """`out` and `err` are its output and its errors, which show no secret of the configuration."""

    out: Terminal
    err: Terminal

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )
        for action in parser._actions:  # Django's own options would push ours off the screen
            if DjangoHelpFormatter.show_last.intersection(action.option_strings):
                action.help = SUPPRESS
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        redact, plain = configured_redactor(), options.get("no_color")
        coloured = False if plain else options.get("force_color") or None
        self.out = Terminal(options.get("stdout") or sys.stdout, redact, coloured)
        self.err = Terminal(options.get("stderr") or sys.stderr, redact, coloured)
        if "NO_COLOR" in os.environ and not options.get("force_color"):
            self.stderr.style_func = None  # Django's own red for errors
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            raise CommandError(redact(str(error)), returncode=error.returncode) from error.__cause__
        except (InterfaceError, OperationalError, ProgrammingError) as error:  # no server, or no tables yet
            why = str(error).strip().splitlines()[0]
            if "locked" in why:
                words = f"The database is locked: another program writes to it ({why}). Try again when it has ended."
            else:
                words = f"The database cannot be used ({why}). New? Run  python manage.py migrate  first."
            raise CommandError(words) from error
        except OSError as error:
            if not error.filename:
                raise
            words = f"{error.filename} cannot be used: {error.strerror}. Whose file is it, and is its disk writable?"
            raise CommandError(words) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=130) from None


def configured_redactor() -> Redactor:
    """Knows the secrets of config.yaml and of the environment."""
    lab, environment, redact = settings.LAB, settings.ENVIRONMENT, Redactor()
    redact.add(lab.commentary.api_key, settings.SECRET_KEY, environment.database_url)
    redact.add(environment.confluent_cloud_api_secret, environment.aws_secret_access_key)
    redact.add(environment.aws_session_token, lab.confluent["cloud_api_secret"])
    if lab.kafka is not None:
        redact.add(*secrets_of(lab.kafka.librdkafka, lab.kafka.registry_auth))
    return redact
