"""Avro schemas that refer to others by name, as Confluent's registry keeps them, made into one that stands alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def with_references(text: str, references: Mapping[str, str]) -> str:
    """Returns the schema with the text of each reference where its name is used first. Avro knows a type from there on.
    Text that is no schema stays as it is, and says so to whoever reads it.
    """
    if not references:
        return text
    try:
        left = {name: json.loads(referred) for name, referred in references.items()}
        return json.dumps(_filled(json.loads(text), "", left))
    except (ValueError, RecursionError):
        return text


def _filled(node: Any, namespace: str, left: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_filled(branch, namespace, left) for branch in node]
    if isinstance(node, str):
        name = next((full for full in (node, f"{namespace}.{node}") if full in left), None)
        return node if name is None else _filled(left.pop(name), "", left)
    if not isinstance(node, dict):
        return node
    inside = str(node.get("namespace", str(node.get("name", "")).rpartition(".")[0] or namespace))
    followed = ("type", "items", "values", "fields")
    return {key: _filled(value, inside, left) if key in followed else value for key, value in node.items()}
