from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from races.management.base import LabCommand
from races.models import ApiToken
from races.models.tokens import create_token

USE = """The token of {name}, shown this once:

  {token}

curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\
     -d '{{"driver": "NOR"}}' http://127.0.0.1:8000/api/races/"""


class Command(LabCommand):
    help = """Make a token with which a script starts races over the API.

  python manage.py create_api_token timing-wall              it holds until it is revoked
  python manage.py create_api_token timing-wall --days 7     it expires
  python manage.py create_api_token --list                   names and dates; the tokens themselves are not stored
  python manage.py create_api_token timing-wall --revoke     from now on it is refused"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="what the script is called")
        parser.add_argument("--days", type=float, help="after so many days the token expires")
        parser.add_argument("--list", action="store_true", help="list the tokens")
        parser.add_argument("--revoke", action="store_true", help="delete the token of that name")

    def handle(self, *args: Any, name: str | None, days: float | None, **options: Any) -> None:
        if options["list"]:
            tokens = list(ApiToken.objects.all())
            rows = [
                (
                    token.name,
                    f"{token.created_at:%Y-%m-%d}",
                    f"until {token.expires_at:%Y-%m-%d %H:%M} UTC"
                    if token.expires_at
                    else "until it is revoked",
                    "expired" if token.expired else "",
                )
                for token in tokens
            ]
            if rows:
                self.out.table(("name", "made", "holds", ""), rows, style=lambda row: "dim" if row[3] else "")
            else:
                self.out.say("There is no token yet.")
        elif not name:
            raise CommandError("Say what the script is called: create_api_token NAME")
        elif options["revoke"]:
            deleted, _ = ApiToken.objects.filter(name=name).delete()
            if not deleted:
                raise CommandError(f"There is no token named '{name}'; --list shows them.")
            self.out.say(f"The token of {name} is refused from now on.")
        else:
            if len(name) > 80 or not name.isprintable():
                raise CommandError("A name has at most 80 printable characters.")
            if days is not None and not 0 < days <= 3650:
                raise CommandError("--days goes from a part of a day to 3650.")
            try:
                secret = create_token(name, days)
            except IntegrityError:
                raise CommandError(
                    f"There is a token named '{name}' already; --revoke it first, or take another name."
                ) from None
            self.out.say(USE.format(name=name, token=secret))
