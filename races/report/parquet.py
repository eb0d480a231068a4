"""A table of one race or of many as a Parquet file, for pandas, DuckDB, Spark and the like.

pyarrow writes it. At 170 MB it is an optional extra: pip install -r requirements-parquet.lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from itertools import islice
from typing import BinaryIO

from races.models import Race
from races.report.downloads import IDENTITY, TABLES, rows_of

MISSING = "Parquet files need pyarrow: pip install -r requirements-parquet.lock"
GROUP_ROWS = 50_000
WHOLE = {
    "position", "grid", "laps", "laps_down", "stops", "lap", "tyre_age", "tick", "timestamp", "start_tick", "end_tick",
    "start_ms", "end_ms",
}  # fmt: skip
DECIMAL = ("_s", "_c", "_kmh")
"""Names of columns that hold decimal figures end so; `value` and `reading` do too."""


def is_available() -> bool:
    return find_spec("pyarrow") is not None


def write_parquet(file: BinaryIO, what: str, races: Iterable[Race]) -> int:
    """Writes a table of the races, each row with its race's id and circuit in front. Returns the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = (*IDENTITY, *TABLES[what].columns)
    types = dict.fromkeys(WHOLE, pa.int64()) | {"race_created_at": pa.timestamp("us", tz="UTC")}
    decimals = {name for name in columns if name.endswith(DECIMAL) or name in ("value", "reading")}
    types |= dict.fromkeys(decimals, pa.float64())
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns])
    written = 0
    rows = rows_of(what, races)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(rows, GROUP_ROWS)):
            cells = zip(columns, zip(*group, strict=True), strict=True)
            arrays = [pa.array(values, schema.field(name).type) for name, values in cells]
            writer.write_table(pa.table(arrays, schema=schema))
            written += len(group)
    return written
