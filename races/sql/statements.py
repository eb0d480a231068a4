"""A person's text as statements: split at semicolons, and checked before it goes anywhere.

The check is no parser. It knows what a statement begins with, and keeps those away that would load code into Flink,
read files, or write into the lab's own topics. Flink itself says what else is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST = 20_000
CONNECTORS = ("kafka", "upsert-kafka", "datagen", "print", "blackhole", "confluent", "faker")
SETTINGS = ("table.", "sql.", "parallelism.default", "pipeline.auto-watermark-interval")

# a quote that is never closed ends with the text
_PART = re.compile(
    r"--[^\n]*|/\*.*?(?:\*/|$)|'(?:[^']|'')*(?:'|$)|`(?:[^`]|``)*(?:`|$)|\"(?:[^\"]|\"\")*(?:\"|$)|;|\s+|[^\s;'`\"/-]+|.",
    re.DOTALL,
)
_COMMENT = ("--", "/*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_OPTION = re.compile(r"'connector'\s*=\s*'([^']*)'", re.IGNORECASE)
_INTO = re.compile(
    r"INSERT\s+(?:INTO|OVERWRITE)\s+((?:`[^`]+`|[\w$-]+)(?:\s*\.\s*(?:`[^`]+`|[\w$-]+))*)", re.IGNORECASE
)
_SET = re.compile(r"SET\s+'([^']*)'", re.IGNORECASE)

_WRITES = re.compile(
    r"\s*CREATE\s+(?:\w+\s+)*?TABLE\b.*\bAS\s+(?:SELECT|WITH|VALUES)\b", re.IGNORECASE | re.DOTALL
)

QUERY, INSERT, WORDS = "query", "insert", "words"
KINDS = {
    "SELECT": QUERY,
    "WITH": QUERY,
    "VALUES": QUERY,
    "INSERT": INSERT,
    "EXPLAIN": WORDS,
    "DESCRIBE": WORDS,
    "DESC": WORDS,
    "SHOW": WORDS,
    "CREATE": WORDS,
    "DROP": WORDS,
    "ALTER": WORDS,
    "SET": WORDS,
    "RESET": WORDS,
}
OBJECTS = ("TABLE", "VIEW")


class NotAllowed(Exception):
    """What the workspace does not send to Flink, and what to do instead: one line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement and where it begins in the whole text."""

    sql: str
    start: int


def parts(text: str) -> Iterator[re.Match[str]]:
    """Comments, quoted texts, semicolons, spaces and what is between them; together they are the text."""
    return _PART.finditer(text)


def split(text: str) -> list[Piece]:
    """The statements of a text, without semicolons, and without comments and spaces around them."""
    found: list[Piece] = []
    start = end = -1
    for part in parts(text):
        if part[0] == ";":
            if start >= 0:
                found.append(Piece(text[start:end], start))
            start = -1
        elif not part[0].isspace() and not part[0].startswith(_COMMENT):
            start, end = (part.start() if start < 0 else start), part.end()
    return [*found, Piece(text[start:end], start)] if start >= 0 else found


def touched(text: str, cursor: int, until: int) -> list[Piece]:
    """The statements that a selection touches. Without one: that of the cursor, else the one before it, else the
    first."""
    pieces = split(text)
    if until > cursor:
        return [one for one in pieces if one.start < until and one.start + len(one.sql) > cursor]
    before = [piece for piece in pieces if piece.start <= cursor]
    return before[-1:] or pieces[:1]


def code(sql: str) -> str:
    """The statement without comments, its spaces made one, quoted texts as they are."""
    kept: list[str] = []
    for part in parts(sql):
        if not (part[0].isspace() or part[0].startswith(_COMMENT)):
            kept.append(part[0])
        elif kept and kept[-1] != " ":
            kept.append(" ")
    return "".join(kept).rstrip(" ")


def mask(sql: str) -> str:
    """As long as the statement: comments are spaces, and what is quoted is of `q`s."""
    return "".join(
        " " * len(part[0])
        if part[0].startswith(_COMMENT)
        else "q" * len(part[0])
        if part[0][0] in "'`\""
        else part[0]
        for part in parts(sql)
    )


def words(sql: str, count: int) -> list[str]:
    """The statement's first words in capitals."""
    return [word.upper() for word in _WORD.findall(code(sql)[:400])[:count]]


def kind(sql: str, own: Iterable[str] = ()) -> str:
    """QUERY, INSERT or WORDS. own: the lab's tables, which nobody writes into. Raises NotAllowed."""
    plain = code(sql)
    if len(sql) > LONGEST:
        raise NotAllowed(f"The statement is longer than {LONGEST:,} characters.")
    if not plain:
        raise NotAllowed("There is no statement here. Write one, or take an example.")
    if plain.startswith("("):
        return QUERY
    first, *rest = [*words(plain, 4), ""]
    found = KINDS.get(first, "")
    if not found:
        raise NotAllowed(
            f"The workspace does not run {first or plain[:1]}. It runs SELECT, INSERT INTO, EXPLAIN, DESCRIBE, SHOW, "
            "SET, and CREATE, ALTER and DROP of tables and views."
        )
    if first in ("CREATE", "DROP", "ALTER"):
        names = [word for word in rest if word not in ("TEMPORARY", "OR", "REPLACE")]
        if names[0] not in OBJECTS:
            raise NotAllowed(
                f"The workspace does not {first} {names[0].lower() or 'other thing'}s: it has tables and views only. "
                "Flink's own SQL client does the rest."
            )
        for connector in _OPTION.findall(plain):
            if connector.lower() not in CONNECTORS:
                raise NotAllowed(
                    f"The workspace has no connector '{connector}'. It has {', '.join(CONNECTORS[:5])}."
                )
        return INSERT if _WRITES.match(mask(sql)) else found
    if first == "INSERT":
        _check_target(plain, own)
    elif first == "SET" and (option := _SET.match(plain)) and not option[1].startswith(SETTINGS):
        raise NotAllowed(f"The workspace sets options that begin with 'table.' only, not '{option[1][:60]}'.")
    return found


def is_explain(sql: str) -> bool:
    return words(sql, 1) == ["EXPLAIN"]


def _check_target(plain: str, own: Iterable[str]) -> None:
    found = _INTO.match(plain)
    if not found:
        return
    name = re.split(r"[.\s]+(?=[`\w])", found[1])[-1].strip("`")
    if name in set(own):
        raise NotAllowed(
            f"{name} is written by the lab itself. Make a table of your own with CREATE TABLE and insert into that."
        )


def position(text: str, start: int, line: int, column: int) -> int:
    """The offset in the whole text of a line and a column, counted from 1, of the statement at `start`."""
    lines = text[start:].split("\n")
    line = min(max(line, 1), len(lines))
    before = sum(len(one) + 1 for one in lines[: line - 1])
    return start + before + min(max(column, 1) - 1, len(lines[line - 1]))
