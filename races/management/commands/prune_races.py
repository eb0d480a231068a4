from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from races.management.base import LabCommand
from races.models import Race
from races.models.retention import delete_each, old_races


class Command(LabCommand):
    help = """Delete old history; running and queued races stay.

  python manage.py prune_races --keep 50      the newest fifty that have ended stay"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep", type=int, required=True, help="how many of the newest ended races stay")

    def handle(self, *args: Any, keep: int, **options: Any) -> None:
        if keep < 0:
            raise CommandError("--keep must be 0 or more.")
        deleted = delete_each(old_races(keep))
        self.out.say(f"{deleted} races deleted, {Race.objects.ended().count()} kept.")
