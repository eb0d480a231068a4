"""Reads Flink SQL far enough to know what a statement makes, needs and gets wrong. It runs nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from .sql_tokens import END, Reader, SqlError, Token, check_parentheses, split, tokens

FORMATS = {"avro-registry", "json-registry", "proto-registry", "raw"}
OPTIONS = {
    "changelog.mode",
    "connector",
    "key.format",
    "key.fields-prefix",
    "value.format",
    "value.fields-include",
    "kafka.cleanup-policy",
    "kafka.retention.time",
    "kafka.retention.size",
    "kafka.max-message-size",
    "kafka.compaction.time",
    "kafka.consumer.isolation-level",
    "kafka.producer.compression.type",
    "scan.startup.mode",
    "scan.bounded.mode",
    "error-handling.mode",
    "error-handling.log.target",
}
TABLE_FUNCTIONS_OF_MODELS = {"AI_COMPLETE", "ML_PREDICT", "AI_EMBEDDING"}
TABLE_FUNCTIONS_OF_AGENTS = {"AI_RUN_AGENT"}
ARIMA = {
    "minTrainingSize",
    "maxTrainingSize",
    "confidencePercentage",
    "enableStl",
    "horizon",
    "p",
    "d",
    "q",
    "m",
}
FUNCTION_OPTIONS = {
    "ML_DETECT_ANOMALIES": ARIMA,
    "ML_FORECAST": ARIMA,
    "ML_DETECT_ANOMALIES_ROBUST": {"window", "threshold", "imputeOutliers"},
}
FUNCTIONS_WITH_FROM = {"EXTRACT", "TRIM", "SUBSTRING", "OVERLAY"}
NOW = {"CURRENT_TIMESTAMP", "NOW", "LOCALTIMESTAMP", "CURRENT_DATE"}
DEFAULT_BUCKETS = 6


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class Query:
    """One INSERT or SELECT: the table it writes, what it reads and calls, and whether it revises its results."""

    sink: str
    sources: frozenset[str]
    models: frozenset[str]
    agents: frozenset[str]
    updating: bool


@dataclass(frozen=True, slots=True)
class Parsed:
    kind: str
    name: str = ""
    lenient: bool = False  # IF [NOT] EXISTS
    options: dict[str, str] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    key: tuple[str, ...] = ()
    primary: bool = False
    buckets: int = DEFAULT_BUCKETS
    queries: tuple[Query, ...] = ()
    reads: Query | None = None  # of a SELECT
    model: str = ""  # of an agent


def parse(sql: str) -> Parsed:
    """Raises SqlError for what Confluent's Flink refuses (as far as this reader knows)."""
    found = tokens(sql)
    check_parentheses(found)
    is_set = Reader(found).accept("EXECUTE", "STATEMENT", "SET")
    if not is_set and len(split(found, ";")) != 1:
        raise SqlError("Only a single SQL statement is supported per request.")
    reader = Reader([token for token in found if is_set or not token.says(";")])
    for words, read in READERS:
        if reader.accept(*words):
            return read(reader)
    raise SqlError(f"SQL parse failed. Encountered '{reader.peek().text}'.")


def _options(reader: Reader) -> dict[str, str]:
    if not reader.accept("WITH"):
        return {}
    pairs = [[t.text for t in part if not t.says("=")] for part in split(reader.group(), ",")]
    if any(len(pair) != 2 for pair in pairs):
        raise SqlError("SQL parse failed. Options are written as 'name' = 'value'.")
    return {pair[0]: pair[1] for pair in pairs}


def create_table(reader: Reader) -> Parsed:
    lenient, name = reader.accept("IF", "NOT", "EXISTS"), reader.name()
    parts = split(reader.group(), ",") if reader.peek().says("(") else []
    primary = next((_primary_key(p) for p in parts if Reader(p).accept("PRIMARY")), ())
    columns = tuple(c for part in parts if (c := _column(part, primary)))
    bucket_key, buckets = _distribution(reader)
    options = _options(reader)
    if reader.peek() is not END and not reader.peek().says("AS"):
        raise SqlError(f"SQL parse failed. Encountered '{reader.peek().text}'.")
    if primary and bucket_key and set(bucket_key) != set(primary):
        raise SqlError("In upsert mode the bucket key must be equal to the primary key.")
    _check_table(options, columns, primary)
    return Parsed(
        "CREATE_TABLE", name, lenient, options, columns, primary or bucket_key, bool(primary), buckets
    )


def _primary_key(part: list[Token]) -> tuple[str, ...]:
    reader = Reader(part)
    reader.expect("PRIMARY", "KEY")
    names = tuple(p[0].text for p in split(reader.group(), ","))
    if not reader.accept("NOT", "ENFORCED"):
        raise SqlError("PRIMARY KEY constraints must be NOT ENFORCED.")
    return names


def _column(part: list[Token], primary: tuple[str, ...]) -> Column | None:
    """Reads a column. None means that no column is stored: a constraint, a watermark, a computed or a metadata
    column."""
    first = Reader(part)
    if first.accept("PRIMARY") or first.accept("CONSTRAINT") or first.accept("WATERMARK"):
        return None
    if len(part) < 2 or any(t.says("AS", "METADATA") for t in part[1:3]):
        return None
    words = [t.text.upper() for t in part[1:]]
    required = "NULL" in words and words[words.index("NULL") - 1] == "NOT"
    return Column(part[0].text, words[0], not required and part[0].text not in primary)


def _distribution(reader: Reader) -> tuple[tuple[str, ...], int]:
    if not reader.accept("DISTRIBUTED"):
        return (), DEFAULT_BUCKETS
    key: tuple[str, ...] = ()
    if reader.accept("BY"):
        reader.accept("HASH")
        key = tuple(p[0].text for p in split(reader.group(), ","))
    buckets = reader.number() if reader.accept("INTO") else DEFAULT_BUCKETS
    reader.accept("BUCKETS")
    return key, buckets


def _check_table(options: dict[str, str], columns: tuple[Column, ...], key: tuple[str, ...]) -> None:
    if "kafka.partitions" in options:
        raise SqlError(
            "Option 'kafka.partitions' is not supported anymore. Please use DISTRIBUTED INTO n BUCKETS."
        )
    for name in options:
        if name not in OPTIONS:
            raise SqlError(f"Unsupported options found for 'confluent'. Unsupported options: {name}")
    for name in ("key.format", "value.format"):
        if options.get(name, "avro-registry") not in FORMATS:
            raise SqlError(
                f"Unsupported format '{options[name]}' for '{name}'. Supported: {', '.join(sorted(FORMATS))}."
            )
    if options.get("changelog.mode", "append") == "upsert" and not key:
        raise SqlError("An upsert table requires a PRIMARY KEY constraint.")
    for name in key:
        if name not in [column.name for column in columns]:
            raise SqlError(f"Primary key column '{name}' is not defined in the schema.")


def _named(kind: str, words: tuple[str, ...]) -> "ReadRule":
    def read(reader: Reader) -> Parsed:
        lenient = reader.accept(*words)
        name = reader.name()
        while reader.peek() is not END and not reader.peek().says("WITH"):
            reader.next()
        return Parsed(kind, name, lenient, _options(reader))

    return read


def insert(reader: Reader) -> Parsed:
    query = _query(reader)
    return Parsed("INSERT_INTO", query.sink, queries=(query,))


def statement_set(reader: Reader) -> Parsed:
    reader.expect("BEGIN")
    body = reader.rest()
    while body and body[-1].says(";"):
        body = body[:-1]
    if not body or not body[-1].says("END"):
        raise SqlError("SQL parse failed. EXECUTE STATEMENT SET BEGIN … END; is not closed.")
    queries = []
    for part in split(body[:-1], ";"):
        insert = Reader(part)
        insert.expect("INSERT", "INTO")
        queries.append(_query(insert))
    if not queries:
        raise SqlError("SQL parse failed. The statement set is empty.")
    return Parsed("STATEMENT_SET", queries[0].sink, queries=tuple(queries))


def _query(reader: Reader) -> Query:
    sink = reader.name()
    found = reader.rest()
    if not any(t.says("SELECT", "VALUES") for t in found):
        raise SqlError("SQL parse failed. INSERT INTO needs a query.")
    return _read(sink, found)


def _read(sink: str, found: list[Token]) -> Query:
    for place, token in enumerate(found):
        if token.says(*FUNCTION_OPTIONS):
            reader = Reader(found)
            reader.at = place + 1
            for name, value in pairwise(reader.group()):  # 'name' VALUE …
                is_option = name.kind == "text" and value.says("VALUE")
                if is_option and name.text not in FUNCTION_OPTIONS[token.text.upper()]:
                    raise SqlError(f"Unknown option '{name.text}' of {token.text}.")
    calls = [(a, c.text) for a, b, c in zip(found, found[1:], found[2:], strict=False) if b.says("(")]
    models = frozenset(named for called, named in calls if called.says(*TABLE_FUNCTIONS_OF_MODELS))
    agents = frozenset(named for called, named in calls if called.says(*TABLE_FUNCTIONS_OF_AGENTS))
    return Query(sink, _sources(found), models, agents, _is_updating(found))


def _sources(found: list[Token]) -> frozenset[str]:
    common = {t.text for t, after in pairwise(found) if t.is_name and after.says("AS")}
    common &= {
        a.text for a, b, c in zip(found, found[1:], found[2:], strict=False) if b.says("AS") and c.says("(")
    }
    sources, opened = set(), [""]
    for place, token in enumerate(found):
        before = found[place - 1] if place else END
        if token.says("("):
            opened.append(before.text.upper())
        elif token.says(")"):
            opened.pop()
        elif token.says("FROM", "JOIN", "TABLE") and not before.says("DISTINCT"):
            sources.add("" if opened[-1] in FUNCTIONS_WITH_FROM else _table_at(found, place + 1))
    return frozenset(sources - common - {""})


def _table_at(found: list[Token], place: int) -> str:
    """Reads the table's name there, and "" where a subquery or a function stands."""
    reader = Reader(found)
    reader.at = place
    if not reader.peek().is_name or reader.peek().says("TABLE", "LATERAL", "UNNEST", "VALUES"):
        return ""
    name = reader.name()
    return "" if reader.peek().says("(") else name


def _is_updating(found: list[Token]) -> bool:
    """Whether the query revises its rows, which a GROUP BY without a window does."""
    groups = any(a.says("GROUP") and b.says("BY") for a, b in pairwise(found))
    windowed = any(t.says("WINDOW_START", "WINDOW_END", "WINDOW_TIME") for t in found)
    if groups and not windowed and any(t.says(*NOW) for t in found):
        raise SqlError(
            "The function CURRENT_TIMESTAMP is not allowed in an updating query: it is non-deterministic."
        )
    return groups and not windowed


def select(reader: Reader) -> Parsed:
    reads = _read("", [Token("word", "SELECT"), *reader.rest()])
    return Parsed("SELECT", next(iter(sorted(reads.sources)), ""), reads=reads)


def create_agent(reader: Reader) -> Parsed:
    """Reads a standard agent: a model and a prompt, tools if there are any, then its options."""
    lenient, name = reader.accept("IF", "NOT", "EXISTS"), reader.name()
    reader.expect("USING", "MODEL")
    model = reader.name()
    reader.expect("USING", "PROMPT")
    if reader.next().kind != "text":
        raise SqlError("SQL parse failed. An agent's prompt is a text.")
    while reader.peek() is not END and not reader.peek().says("WITH"):
        reader.next()
    return Parsed("CREATE_AGENT", name, lenient, _options(reader), model=model)


def refuse_set(_: Reader) -> Parsed:
    raise SqlError("SET is not supported by the statements API. Pass the statement's properties instead.")


ReadRule = Callable[[Reader], Parsed]
READERS: tuple[tuple[tuple[str, ...], ReadRule], ...] = (
    (("CREATE", "TABLE"), create_table),
    (("CREATE", "CONNECTION"), _named("CREATE_CONNECTION", ("IF", "NOT", "EXISTS"))),
    (("CREATE", "MODEL"), _named("CREATE_MODEL", ("IF", "NOT", "EXISTS"))),
    (("CREATE", "AGENT"), create_agent),
    (("ALTER", "TABLE"), _named("ALTER_TABLE", ("IF", "EXISTS"))),
    (("DROP", "TABLE"), _named("DROP_TABLE", ("IF", "EXISTS"))),
    (("DROP", "CONNECTION"), _named("DROP_CONNECTION", ("IF", "EXISTS"))),
    (("DROP", "MODEL"), _named("DROP_MODEL", ("IF", "EXISTS"))),
    (("DROP", "AGENT"), _named("DROP_AGENT", ("IF", "EXISTS"))),
    (("INSERT", "INTO"), insert),
    (("EXECUTE", "STATEMENT", "SET"), statement_set),
    (("SELECT",), select),
    (("SHOW",), lambda _: Parsed("SHOW")),
    (("DESCRIBE",), lambda _: Parsed("DESCRIBE")),
    (("SET",), refuse_set),
)
