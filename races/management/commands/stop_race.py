from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser

from races.management.base import LabCommand
from races.models import Race


class Command(LabCommand):
    help = """Red-flag a running race: it is classified as it stands.

  python manage.py stop_race 3f0c6d5e-…      (the id that start_race printed, or the one in the page's address)"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="the race's id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            race = Race.objects.filter(pk=uuid.UUID(options["id"])).first()
        except ValueError:
            raise CommandError(f"'{options['id']}' is no race id; ids look like {uuid.UUID(int=0)}") from None
        if race is None:
            raise CommandError("There is no such race.")
        if not Race.objects.filter(pk=race.pk).request_stop():
            raise CommandError(f"The race is {race.status} already.")
        self.out.say("Red flag: the race stops in a moment.")
