"""Flink statements move on with time: they start, fail, stop, and degrade when what they use is gone."""

import re

from . import tables
from .cloud import Cloud
from .pools import used_cfu
from .records import Statement, wall_time
from .sql_parser import parse
from .sql_tokens import SqlError

FIXED_ORDER = re.compile(r"ML_DETECT_ANOMALIES\(.*'[pdq]' VALUE", re.DOTALL)
QUERIES = ("INSERT_INTO", "STATEMENT_SET", "SELECT")


def settle(cloud: Cloud) -> None:
    """Moves every statement on that is due."""
    for statement in cloud.alive(cloud.statements):
        if statement.phase == "PENDING" and statement.due <= cloud.now():
            _begin(cloud, statement)
        elif statement.phase == "STOPPING" and statement.due <= cloud.now():
            move(statement, "STOPPED", "This statement was stopped manually.")
        elif statement.phase == "RUNNING":
            _degrade(cloud, statement)


def move(statement: Statement, phase: str, detail: str = "") -> None:
    statement.phase, statement.detail = phase, detail
    statement.version += 1
    statement.updated_at = wall_time()


def _begin(cloud: Cloud, statement: Statement) -> None:
    try:
        parsed = parse(statement.sql)
        pool = cloud.pools.get(statement.pool_id)
        if pool is None or pool.deleted is not None:
            raise SqlError(f"The compute pool {statement.pool_id} was not found.")
        statement.exhausted = parsed.kind in QUERIES and used_cfu(cloud, pool.id) >= pool.max_cfu
        statement.detail = (
            "The compute pool has no CFU left for this statement." if statement.exhausted else ""
        )
        if statement.exhausted:
            return
        if cloud.answers.model_order == "refused" and FIXED_ORDER.search(statement.sql):
            raise SqlError("Model failed to process data")
        dry = statement.properties.get("sql.dry-run") == "true"
        statement.tables = tables.run(tables.Database(cloud, statement), parsed, dry)
    except SqlError as error:
        move(statement, "FAILED", str(error))
        return
    snapshot = parsed.kind == "SELECT" and statement.properties.get("sql.snapshot.mode") == "now"
    runs = parsed.kind in QUERIES and not dry and not snapshot
    move(statement, "RUNNING" if runs else "COMPLETED", "" if runs else "Command completed successfully.")


def _degrade(cloud: Cloud, statement: Statement) -> None:
    """Stops a statement without its pool, as the service's notifications document it, and degrades one without its
    topic."""
    pool = cloud.pools.get(statement.pool_id)
    if pool is None or pool.deleted is not None:
        statement.stopped = True
        move(statement, "STOPPED", "This statement was stopped: its compute pool was deleted by a user.")
        return
    for cluster_id, name in statement.tables:
        topic = cloud.topic(cluster_id, name)
        if topic is None or topic.deleted is not None:
            if cloud.answers.dropped_topic != "RUNNING":
                move(statement, cloud.answers.dropped_topic, f"Table '{name}' does not exist any more.")
            return
