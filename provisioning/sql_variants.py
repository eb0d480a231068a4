"""The lab's statements in the other form that the service may want: another model, or a detector without an order."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioning.config import MANAGED_MODEL
from races.flink.statements import Statement

BEDROCK_OPTION = re.compile(r"'bedrock\.(connection|params\.\w+|system_prompt)'(\s*)=")
ORDER = re.compile(r"\n[^\n]*'[pdq]' VALUE \d+,(?=\n)")


def without_order(sql: str) -> str:
    """Gives the same SQL without p, d and q. The detector's function then picks an order for each car by itself."""
    return ORDER.sub("", sql)


def managed(statement: Statement) -> Statement:
    """Gives the same model with the same instructions, on the service's own inference: no AWS keys and no connection.

    That is in early access (November 2026).
    """
    sql = re.sub(r"\n[^\n]*'bedrock\.connection'[^\n]*", "", statement.sql)
    sql = re.sub(
        r"'provider'(\s*)= 'bedrock',",
        rf"'provider'\1= 'confluent',\n  'confluent.model' = '{MANAGED_MODEL}',\n"
        "  'confluent.input_format' = 'confluent-chat',",
        sql,
    )
    return replace(statement, sql=BEDROCK_OPTION.sub(r"'confluent.\1'\2=", sql))
