from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from races.management.base import LabCommand
from races.models import Race, RaceQuerySet
from races.report import downloads, parquet

FORMATS = ("parquet", "csv", "json")


class Command(LabCommand):
    help = """Write the history of races that have ended as files: Parquet, CSV or JSON.

  python manage.py export_races --to history                        all races, a Parquet file for each table
  python manage.py export_races --to history --format csv           the same as CSV, a row's race in front
  python manage.py export_races --to history --format json 3f0c…    one race, all of it in one file

Tables: results, laps, commentary, control, alarms, faults. docs/history.ipynb reads the Parquet files."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("race", nargs="*", help="ids; without one: all races that have ended")
        parser.add_argument(
            "--to", type=Path, required=True, help="the folder; it is made where it is missing"
        )
        parser.add_argument("--format", choices=FORMATS, default="parquet", help="default %(default)s")

    def handle(self, *args: Any, race: list[str], to: Path, format: str, **options: Any) -> None:
        races = _races(race)
        if format == "parquet" and not parquet.is_available():
            raise CommandError(parquet.MISSING)
        to.mkdir(parents=True, exist_ok=True)
        written = [] if format == "json" else _tables(races, to, format)
        for one in races if format == "json" else ():
            path = to / f"{downloads.name(one)}.json"
            path.write_text(
                json.dumps(downloads.whole(one), cls=DjangoJSONEncoder, indent=1), encoding="utf-8"
            )
            written.append(path)
        self.out.table(
            ("file", "bytes"), [(str(path), path.stat().st_size) for path in written], right=("bytes",)
        )
        if not written:
            self.err.say("No race has ended yet, so there is nothing to write.")


def _races(ids: list[str]) -> RaceQuerySet:
    """Raises CommandError."""
    ended = Race.objects.ended().defer("frozen")
    try:
        wanted = {uuid.UUID(one) for one in ids}
    except ValueError:
        raise CommandError(f"No race id: ids look like {uuid.UUID(int=0)}") from None
    if not wanted:
        return ended
    found = ended.filter(pk__in=wanted)
    if missing := wanted - set(found.values_list("pk", flat=True)):
        raise CommandError(f"No race that has ended has the id {', '.join(map(str, sorted(missing)))}.")
    return found


def _tables(races: RaceQuerySet, folder: Path, form: str) -> list[Path]:
    written = []
    for what in downloads.TABLES if races.exists() else ():
        path = folder / f"{what}.{form}"
        if form == "parquet":
            with path.open("wb") as file:
                parquet.write_parquet(file, what, races)
        else:
            with path.open("w", encoding="utf-8", newline="") as text:
                downloads.write_all_csv(text, what, races)
        written.append(path)
    return written
