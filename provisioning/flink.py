"""python -m provisioning.flink: the lab's Flink SQL for a workspace, with your names, endpoint and all comments."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

import django

from provisioning.config import CONNECTION, MANAGED, MODEL, DesiredState
from provisioning.exercises import exercises
from provisioning.sql_variants import managed
from races.flink.statements import Statement, texts
from races.lib.spelling import write_anywhere

ABOUT = """\
Prints the lab's Flink SQL, ready to be pasted into a SQL workspace on Confluent
Cloud: with the topics, the model and its endpoint that config.yaml names, and
with the reasons beside each line. It calls nobody and writes nothing.

The connection is printed with places for your AWS keys. Type them into the
workspace only; provision_confluent makes the same object without a text."""


def names(desired: DesiredState) -> Mapping[str, str]:
    return {
        **desired.topics,
        "connection": CONNECTION,
        "model": MODEL,
        "bedrock_endpoint": desired.bedrock_endpoint,
    }


def for_workspace(statement: Statement, text: str, desired: DesiredState) -> str:
    """Writes a statement for a workspace, with its settings as SET and the file's comments. The managed model has
    none."""
    settings = "".join(f"SET '{key}' = '{value}';\n" for key, value in statement.properties.items())
    if statement.kind == "model" and desired.flink_model == MANAGED:
        text = f"{managed(statement).sql};"
    return f"-- {statement.name}\n{settings}{text}\n"


def printed(desired: DesiredState, group: str = "") -> str:
    if group == "exercises":
        chosen = [(one.statement, one.text) for one in exercises(names(desired))]
    else:
        chosen = [
            (statement, text)
            for statement, text in texts(names(desired))
            if group in ("", statement.group)
            and not (statement.kind == "connection" and desired.flink_model == MANAGED)
        ]
    return "\n".join(for_workspace(statement, text, desired) for statement, text in chosen)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m provisioning.flink",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "group",
        nargs="?",
        default="",
        choices=("", "average", "commentary", "anomalies", "exercises"),
        help="only this part; the exercises are printed only if they are named",
    )
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "f1site.settings")
    django.setup()
    from provisioning.cli import configured  # needs Django's settings

    sys.stdout.write(printed(configured(), options.group))
    return 0


if __name__ == "__main__":
    write_anywhere()
    sys.exit(main())
