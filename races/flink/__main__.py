"""Prints the statements with the default names, ready for a SQL workspace."""

from __future__ import annotations

import sys

from races.flink.statements import Statement, statements


def for_workspace(statement: Statement) -> str:
    settings = "".join(f"SET '{key}' = '{value}';\n" for key, value in statement.properties.items())
    return f"-- {statement.name}\n{settings}{statement.sql};\n"


if __name__ == "__main__":
    sys.stdout.write("\n".join(for_workspace(statement) for statement in statements()))
