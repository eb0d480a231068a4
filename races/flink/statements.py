"""The lab's Flink SQL: files with a heading (README.md), read and filled with the configured names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from races.streams.topics import DEFAULT_NAMES as TOPIC_NAMES

_FOLDER = Path(__file__).parent / "sql"
_HEADING = re.compile(r"^-- (name|kind|group|property): (.+)$", re.MULTILINE)
_NAME = re.compile(r"\$\{(\w+)\}")
_UNSAFE = re.compile(r"[`'\";\\\x00-\x1f]")

DEFAULT_NAMES: Mapping[str, str] = TOPIC_NAMES | {
    "connection": "bedrock-connection",
    "model": "f1_commentary_generator",
    "bedrock_endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com/model/MODEL-ID/invoke",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """`sql` has no comments and no final semicolon, as the statements API wants it."""

    name: str
    kind: str
    group: str
    properties: Mapping[str, str]
    sql: str


def statements(names: Mapping[str, str] = DEFAULT_NAMES) -> tuple[Statement, ...]:
    """All statements in the order in which they are to run. KeyError: a name is missing."""
    return tuple(read(path.read_text(encoding="utf-8"), names) for path in sorted(_FOLDER.glob("*.sql")))


def texts(names: Mapping[str, str] = DEFAULT_NAMES) -> list[tuple[Statement, str]]:
    """Each statement with its file's text, names filled in: comments and all, without the machine's heading."""
    found = []
    for path in sorted(_FOLDER.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        found.append((read(text, names), fill(_HEADING.sub("", text).strip(), names)))
    return found


def read(text: str, names: Mapping[str, str]) -> Statement:
    """One file. ValueError: a name that would break out of its quotes."""
    heading = _HEADING.findall(text)
    fields = {key: value.strip() for key, value in heading if key != "property"}
    properties = dict(value.split(" = ", 1) for key, value in heading if key == "property")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return Statement(
        fields["name"],
        fields["kind"],
        fields["group"],
        properties,
        fill("\n".join(lines).strip().removesuffix(";").rstrip(), names),
    )


def fill(sql: str, names: Mapping[str, str]) -> str:
    """Names for `${...}`; `$rowtime` is Flink's and stays."""

    def name(found: re.Match[str]) -> str:
        value = names[found[1]]
        if _UNSAFE.search(value):
            raise ValueError(f"{found[1]}: {value!r} cannot stand in a SQL statement")
        return value

    return _NAME.sub(name, sql)
