"""What the project's commands share: help with its own line breaks, and one-line errors instead of a traceback."""

from __future__ import annotations

from argparse import SUPPRESS, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import InterfaceError, OperationalError, ProgrammingError


class LabCommand(BaseCommand):
    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )
        for action in parser._actions:  # Django's own options would push ours off the screen
            if DjangoHelpFormatter.show_last.intersection(action.option_strings):
                action.help = SUPPRESS
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
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
