"""The commentary's model on the service's own inference: no AWS keys, no connection. In early access (2026-11)."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioning.config import MANAGED_MODEL
from races.flink.statements import Statement

BEDROCK_OPTION = re.compile(r"'bedrock\.(connection|params\.\w+|system_prompt)'(\s*)=")


def managed(statement: Statement) -> Statement:
    """The same model with the same instructions, from the provider `confluent`."""
    sql = re.sub(r"\n[^\n]*'bedrock\.connection'[^\n]*", "", statement.sql)
    sql = re.sub(
        r"'provider'(\s*)= 'bedrock',",
        rf"'provider'\1= 'confluent',\n  'confluent.model' = '{MANAGED_MODEL}',\n"
        "  'confluent.input_format' = 'confluent-chat',",
        sql,
    )
    return replace(statement, sql=BEDROCK_OPTION.sub(r"'confluent.\1'\2=", sql))
