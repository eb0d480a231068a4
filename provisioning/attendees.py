"""A class on Confluent Cloud: one lab a person, made side by side, a card for each, and all of it gone again.

Each attendee has an environment `f1-<name>`, and a config.yaml in `.confluent/attendees/<name>/`. All of them stand in
one journal, so a run that was interrupted goes on, and a teardown finds them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from provisioning.config import DesiredState
from provisioning.errors import ProvisioningError, Refused
from provisioning.session import Session
from provisioning.steps import Step

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
MOST = 50


def read_names(path: Path) -> list[str]:
    """One name a line; # begins a comment. Raises ProvisioningError with the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ProvisioningError(f"{path} cannot be read: {error}.", "It holds one name a line.") from None
    names: list[str] = []
    for number, line in enumerate(lines, start=1):
        name = line.partition("#")[0].strip().lower()
        if name and not NAME.fullmatch(name):
            raise ProvisioningError(
                f"{path}, line {number}: {name!r} is no name for an environment.",
                "Use letters, digits and dashes, 40 characters at most.",
            )
        if name in names:
            raise ProvisioningError(f"{path}, line {number}: {name} is there twice.", "Names are unique.")
        names += [name] if name else []
    if not 0 < len(names) <= MOST:
        raise ProvisioningError(f"{path} holds {len(names)} names; 1 to {MOST} can be made at once.")
    return names


def desired_for(desired: DesiredState, name: str) -> DesiredState:
    """Raises Refused where the configuration lends an environment: there is one lab in it."""
    if desired.borrowed:
        raise Refused(
            "confluent.environment_id lends one environment, and a class needs one for each person.",
            "Leave it empty for --attendees.",
        )
    return replace(desired, environment_name=f"f1-{name}")


def config_for(journal: Path, name: str) -> Path:
    folder = journal.parent / "attendees" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "config.yaml"


def labelled(name: str, steps: list[Step]) -> Iterator[Step]:
    """The steps of one person's lab, beside everybody else's."""
    for step in steps:
        needs = tuple(f"{name}/{needed}" for needed in step.needs)
        yield Step(f"{name}/{step.name}", f"{name}: {step.title}", step.run, needs)


def card(name: str, session: Session, config: Path) -> str:
    """What a person needs to begin. The secrets are in config.yaml, not here."""
    record = session.need("environment")
    return f"""\
{name}
  environment  {record["name"]} ({record["id"]})
  cluster      {session.id("cluster")}
  console      https://confluent.cloud/environments/{record["id"]}
  config.yaml  {config}
  to begin     copy that file beside manage.py, then: make run
"""
