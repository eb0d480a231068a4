"""The lab's topics as tables of a self-hosted Flink: CREATE TABLE, generated from the lab's own schemas.

A table is called as its topic is, as on Confluent Cloud. Keys and values name the lab's very schemas, because Flink
would otherwise register some of its own, whose names FULL compatibility refuses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from races.streams.topics import TOPICS, Topic

KINDS = {"string": "STRING", "int": "INT", "long": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN"}
JSON_KINDS = {"string": "STRING", "number": "BIGINT", "array": "ARRAY<STRING>"}
OUT_OF_ORDER = "INTERVAL '0.001' SECOND"
EARLIEST = {"scan.startup.mode": "earliest-offset"}
JAAS = 'org.apache.kafka.common.security.{module} required username="{name}" password="{password}";'


@dataclass(frozen=True, slots=True)
class Place:
    """Kafka and registry as Flink sees them. security: Kafka properties of the Java client; they may hold secrets."""

    bootstrap: str
    registry_url: str
    registry_auth: str = field(default="", repr=False)
    security: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def kafka(self) -> dict[str, str]:
        properties = {"bootstrap.servers": self.bootstrap, **self.security}
        return {f"properties.{name}": value for name, value in properties.items()}

    @property
    def avro(self) -> dict[str, str]:
        options = {"avro-confluent.url": self.registry_url}
        if self.registry_auth:
            options["avro-confluent.basic-auth.credentials-source"] = "USER_INFO"
            options["avro-confluent.basic-auth.user-info"] = self.registry_auth
        return options


@dataclass(frozen=True, slots=True)
class TableColumn:
    """type: as SQL writes it, NOT NULL included. doc: what the schema says of it."""

    name: str
    type: str
    doc: str = ""

    @property
    def sql(self) -> str:
        return f"{quoted(self.name)} {self.type}"


def java_security(librdkafka: Mapping[str, str]) -> dict[str, str]:
    """The login of a configured Kafka in the Java client's words."""
    found = {
        name: librdkafka[name] for name in ("security.protocol", "sasl.mechanism") if librdkafka.get(name)
    }
    name, password = librdkafka.get("sasl.username", ""), librdkafka.get("sasl.password", "")
    if name:
        scram = librdkafka.get("sasl.mechanism", "").startswith("SCRAM")
        module = "scram.ScramLoginModule" if scram else "plain.PlainLoginModule"
        found["sasl.jaas.config"] = JAAS.format(
            module=module, name=name.replace('"', r"\""), password=password.replace('"', r"\"")
        )
    return found


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def options_sql(options: Mapping[str, str]) -> str:
    return ",\n  ".join(f"{literal(name)} = {literal(value)}" for name, value in options.items())


def compact(schema: str) -> str:
    return json.dumps(json.loads(schema), ensure_ascii=False, separators=(",", ":"))


def key_columns(topic: Topic) -> list[TableColumn]:
    """BYTES where the key is text, as on Confluent Cloud, whose tables know nothing of it."""
    if topic.key_format == "avro":
        return _avro_columns(topic.key_schema or "{}")
    return [TableColumn("key", "BYTES")] if topic.key_format == "text" else []


def value_columns(topic: Topic) -> list[TableColumn]:
    if topic.value_format == "avro":
        return _avro_columns(topic.value_schema)
    schema = json.loads(topic.value_schema)
    kinds = {
        name: next(one["type"] for one in spec.get("oneOf", [spec]) if one["type"] != "null")
        for name, spec in schema["properties"].items()
    }
    return [
        TableColumn(name, JSON_KINDS[kind] + _not_null(name in schema["required"]))
        for name, kind in kinds.items()
    ]


def create_table(
    topic: Topic,
    name: str,
    place: Place,
    start: Mapping[str, str] = EARLIEST,
    schema_id: int | None = None,
) -> str:
    """start: where a query begins to read, as options of the connector. schema_id: what frames a JSON value."""
    if topic.key_format == "avro":
        columns, options = _upsert(topic, place)
    else:
        columns, options = _append(topic, place, schema_id)
        options |= start
    options = {"connector": options.pop("connector"), "topic": name, **place.kafka, **options}
    body = ",\n  ".join(columns)
    return f"CREATE TABLE IF NOT EXISTS {quoted(name)} (\n  {body}\n) WITH (\n  {options_sql(options)}\n)"


def create_tables(
    names: Mapping[str, str],
    place: Place,
    start: Mapping[str, str] = EARLIEST,
    schema_id: int | None = None,
) -> list[str]:
    """One CREATE TABLE for each role of the mapping from role to topic name."""
    return [create_table(TOPICS[role], name, place, start, schema_id) for role, name in names.items()]


def _upsert(topic: Topic, place: Place) -> tuple[list[str], dict[str, str]]:
    keys = key_columns(topic)
    options = {"connector": "upsert-kafka", "value.fields-include": "EXCEPT_KEY"}
    for part, schema in (("key", topic.key_schema or "{}"), ("value", topic.value_schema)):
        options |= {f"{part}.format": "avro-confluent"}
        options |= {f"{part}.{name}": value for name, value in place.avro.items()}
        options |= {f"{part}.avro-confluent.schema": compact(schema)}
    primary = f"PRIMARY KEY ({', '.join(quoted(key.name) for key in keys)}) NOT ENFORCED"
    return [*(column.sql for column in [*keys, *value_columns(topic)]), primary], options


def _append(topic: Topic, place: Place, schema_id: int | None) -> tuple[list[str], dict[str, str]]:
    keys = key_columns(topic)
    options = {"connector": "kafka"}
    if topic.value_format == "avro":
        options |= {"value.format": "avro-confluent"}
        options |= {f"value.{name}": value for name, value in place.avro.items()}
    else:
        options |= {"value.format": "json-registry"}
        options |= {"value.json-registry.schema-id": str(schema_id)} if schema_id else {}
    if keys:
        options |= {"key.format": "raw", "key.fields": "key", "value.fields-include": "EXCEPT_KEY"}
    time = [
        "`$rowtime` TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL",
        f"WATERMARK FOR `$rowtime` AS `$rowtime` - {OUT_OF_ORDER}",
    ]
    return [*(column.sql for column in [*keys, *value_columns(topic)]), *time], options


def _avro_columns(schema: str) -> list[TableColumn]:
    columns = []
    for one in json.loads(schema)["fields"]:
        kind, nullable = one["type"], isinstance(one["type"], list)
        if nullable:
            kind = next(branch for branch in kind if branch != "null")
        if isinstance(kind, dict) and kind.get("logicalType") == "timestamp-millis":
            sql_type = "TIMESTAMP(3)"
        else:
            sql_type = KINDS[kind if isinstance(kind, str) else kind["type"]]
        columns.append(TableColumn(one["name"], sql_type + _not_null(not nullable), one.get("doc", "")))
    return columns


def _not_null(required: bool) -> str:
    return " NOT NULL" if required else ""
