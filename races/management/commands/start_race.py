from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from races.lab.addresses import running_lab
from races.live.rendering.formatting import gap
from races.management.base import LabCommand
from races.models import Race
from races.models.creation import (
    DEFAULT_CIRCUIT,
    Choice,
    InvalidChoice,
    LimitReached,
    create_race,
)
from races.sim import DEFAULT_PACE, circuit_slugs, load_circuit, load_season

POLL_S = 0.5
NOBODY_AFTER_S = 8.0


def code_of(driver: str) -> str:
    """The code of a driver who is named by code or by surname; what was given, where nobody is."""
    known = {one.name.split(" ", 1)[-1].casefold(): one.code for one in load_season().drivers}
    return known.get(driver.casefold(), driver.upper())


def slug_of(circuit: str) -> str:
    """The circuit that is named as the page or as its file names it; what was given, where none is."""
    named = circuit.casefold()
    if named in circuit_slugs():
        return named
    return next((slug for slug in circuit_slugs() if load_circuit(slug).name.casefold() == named), circuit)


class Command(LabCommand):
    help = """Start a race from the shell; a running lab or worker takes it from the database.

  python manage.py start_race --driver NOR
  python manage.py start_race --driver HAM --circuit spa --laps 8 --seed 7 --wait
  python manage.py start_race --driver VER --pace 60 --wait

Prints the race's id and address, or its path where no lab is known to run.
--wait follows it with a progress bar to the classification."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--driver", required=True, help="three-letter code or surname, e.g. NOR")
        parser.add_argument(
            "--circuit", default=DEFAULT_CIRCUIT, help="its name on the page; default %(default)s"
        )
        parser.add_argument("--laps", type=int, help="default: a sprint of about 90 seconds")
        parser.add_argument("--pace", type=int, default=DEFAULT_PACE, help="race seconds a second, 1 to 60")
        parser.add_argument("--seed", type=int, help="the same seed gives the same race")
        parser.add_argument("--no-incidents", action="store_true", help="no retirements, no safety car")
        parser.add_argument("--wait", action="store_true", help="follow it to the classification")
        parser.add_argument(
            "--lab", help="the lab's address, for the printed link; default: the running one's"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        choice = Choice(
            code_of(options["driver"]),
            slug_of(options["circuit"]),
            options["laps"],
            options["pace"],
            options["seed"],
            not options["no_incidents"],
        )
        try:
            race = create_race(choice)
        except (InvalidChoice, LimitReached) as error:
            raise CommandError(str(error)) from None
        lab = (options["lab"] or running_lab()).rstrip("/")
        self.out.say(f"{race.pk}  {lab}{race.get_absolute_url()}")
        if options["wait"]:
            self._follow(race)

    def _follow(self, race: Race) -> None:
        began, lap = time.monotonic(), -1
        with self.out.progress(race.laps, race.circuit_name) as bar:
            while race.is_active:
                time.sleep(POLL_S)
                race.refresh_from_db()
                if race.status == Race.Status.QUEUED and time.monotonic() - began > NOBODY_AFTER_S:
                    self.err.say(
                        "Nobody takes the race. Start a lab (make run) or a worker (manage.py run_worker)."
                    )
                    began = time.monotonic()
                words = race.waiting_for and f"  waiting for {race.waiting_for}"
                words = f"lap {race.lap} of {race.laps}{words}"
                bar.show(race.lap, words)
                if race.lap != lap and not self.out.is_live:
                    lap = race.lap
                    self.out.say(f"{race.circuit_name}  {words}")
        self._show_result(race)

    def _show_result(self, race: Race) -> None:
        if race.status == Race.Status.FAILED:
            raise CommandError(f"The race failed: {race.status_reason}")
        laps = "1 lap" if race.laps == 1 else f"{race.laps} laps"
        self.out.say(f"{race.get_status_display()}: {load_circuit(race.circuit).name}, {laps}", "bold")
        rows = []
        for row in race.results.all():
            mark = "*" if row.driver_code == race.driver_code else ""
            behind = gap(row.gap_s, row.laps_down) if row.position > 1 else ""
            behind = "retired" if row.status == "retired" else behind
            rows.append(
                (mark, row.position, row.driver_code, row.driver_name, row.team_name, behind, row.stops)
            )
        self.out.table(
            ("", "pos", "code", "driver", "team", "gap", "stops"),
            rows,
            right=("pos", "gap", "stops"),
            style=lambda row: "bold green" if row[0] else "dim" if row[5] == "retired" else "",
        )
