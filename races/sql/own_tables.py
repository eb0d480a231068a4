"""CREATE TABLE without WITH, as Confluent Cloud takes it: the workspace adds the topic of the same name.

Values are Avro under the lab's registry. A PRIMARY KEY makes it an upsert table. Any other table gets the record's
own time as `$rowtime` with a watermark, so that windows work on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from races.flink.tables import OUT_OF_ORDER, Place, options_sql
from races.sql.statements import NotAllowed, mask

_HEAD = re.compile(
    r"\s*CREATE\s+(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>q+|[\w$.-]+)", re.IGNORECASE
)
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_TAIL = re.compile(r"\b(WITH\s*\(|LIKE\b|AS\s+(?:SELECT|WITH|VALUES)\b)", re.IGNORECASE)
_TIME = (
    f",\n  `$rowtime` TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,\n"
    f"  WATERMARK FOR `$rowtime` AS `$rowtime` - {OUT_OF_ORDER}\n"
)


@dataclass(frozen=True, slots=True)
class OwnTable:
    """topic: the one to make before the statement runs; empty when the statement says itself where its rows are."""

    sql: str
    topic: str = ""


def completed(sql: str, place: Place) -> OwnTable:
    """Other statements come back as they are. Raises NotAllowed for a name that no topic can have."""
    masked = mask(sql)
    head = _HEAD.match(masked)
    if not head:
        return OwnTable(sql)
    opened, closed = _body(masked, head.end())
    tail = _TAIL.search(masked, closed)
    if tail and not tail[0].upper().startswith("AS"):
        return OwnTable(sql)
    name = sql[head.start("name") : head.end("name")].strip("`")
    if not _TOPIC.fullmatch(name):
        raise NotAllowed(f"A topic cannot be called {name[:80]}: its name has 1 to 249 of a-z A-Z 0-9 . _ -")
    body = masked[opened:closed].upper()
    primary = bool(re.search(r"\bPRIMARY\s+KEY\b", body))
    timed = bool(body) and not primary and "WATERMARK" not in body
    end = tail.start() if tail else len(sql)
    columns = sql[opened : closed - 1].rstrip() + _TIME + ")" if timed else sql[opened:closed]
    options = {"connector": "upsert-kafka" if primary else "kafka", "topic": name, **place.kafka}
    for part in ("key", "value") if primary else ("value",):
        options[f"{part}.format"] = "avro-confluent"
        options |= {f"{part}.{key}": value for key, value in place.avro.items()}
    if not primary:
        options["scan.startup.mode"] = "earliest-offset"
    written = f" WITH (\n  {options_sql(options)}\n)\n"
    return OwnTable(sql[:opened] + columns + sql[closed:end].rstrip() + written + sql[end:], name)


def _body(masked: str, start: int) -> tuple[int, int]:
    """The start and end of the columns' parentheses; both are `start` when there are none."""
    opened = re.match(r"\s*\(", masked[start:])
    if not opened:
        return start, start
    depth, first = 0, start + opened.end() - 1
    for place in range(first, len(masked)):
        depth += {"(": 1, ")": -1}.get(masked[place], 0)
        if not depth:
            return first, place + 1
    return start, start  # Flink says what is wrong
