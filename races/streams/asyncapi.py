"""The topics as an AsyncAPI 3.0 document, made from the list of topics and their schemas.

`python -m races.streams.asyncapi` prints it; it stands as docs/asyncapi.json.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from races.lib.spelling import write_anywhere
from races.streams.topics import TOPICS, Topic, compatibility, subject

AVRO = "application/vnd.apache.avro;version=1.9.0"
JSON_SCHEMA = "application/schema+json;version=draft-07"
WHAT = {
    "positions": "Every car of a race, five times a second.",
    "race_control": "What race control says: flags, overtakes, stops, fastest laps.",
    "car_metrics": "Engine temperatures, one for each car and tick, where the feature is on.",
    "avg_speed": "The average speed of each driver so far, as an upsert.",
    "commentary": "Lines of commentary.",
    "car_metrics_anomalies": "Each engine reading with its forecast, and whether it is an anomaly.",
}


def document() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "F1 streaming lab",
            "version": "1",
            "description": "The lab's topics under their default names, which `kafka.topics` in config.yaml changes. "
            "Keys and values have Confluent's wire format: a zero byte, the schema's id in four bytes, the data.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/vnd.apache.avro",
        "servers": {
            "lab": {
                "host": "127.0.0.1:{port}",
                "protocol": "kafka",
                "description": "The embedded Kafka of a running lab; its banner and /healthz have the port.",
                "variables": {"port": {"default": "9092"}},
                "bindings": {
                    "kafka": {
                        "schemaRegistryUrl": "http://127.0.0.1:8000/registry/",
                        "schemaRegistryVendor": "confluent",
                    }
                },
            }
        },
        "channels": {role: channel(topic) for role, topic in TOPICS.items()},
        "operations": {
            f"{verb}_{role}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{role}"},
                "messages": [{"$ref": f"#/channels/{role}/messages/{role}"}],
                "summary": f"{who} {verb}s it.",
            }
            for role, topic in TOPICS.items()
            for verb, action, who in (
                ("write", "send", f"The lab's {topic.written_by}"),
                ("read", "receive", "The page"),
            )
        },
        "components": {"messages": {role: message(topic) for role, topic in TOPICS.items()}},
    }


def channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": WHAT[topic.role],
        "messages": {topic.role: {"$ref": f"#/components/messages/{topic.role}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": topic.cleanup_policy.split(","),
                    "retention.ms": topic.retention_ms,
                },
            }
        },
    }


def message(topic: Topic) -> dict[str, Any]:
    avro = topic.value_format == "avro"
    key_schema = json.loads(topic.key_schema) if topic.key_schema else None
    # AsyncAPI's Kafka binding describes a key in JSON Schema only; the Avro schema stands beside it.
    types = {
        field["name"]: {"type": "string" if field["type"] == "string" else "integer"}
        for field in (key_schema or {}).get("fields", [])
    }
    fields = {"type": "object", "properties": types, "required": list(types)}
    key = fields if key_schema else {"type": "string", "description": "UTF-8, without a schema"}
    binding = {"schemaIdLocation": "payload", "schemaIdPayloadEncoding": "confluent"}
    return {
        "name": topic.role,
        "summary": WHAT[topic.role],
        "contentType": "application/vnd.apache.avro" if avro else "application/json",
        "payload": {"schemaFormat": AVRO if avro else JSON_SCHEMA, "schema": json.loads(topic.value_schema)},
        "bindings": {"kafka": binding if topic.key_format == "none" else binding | {"key": key}},
        **({"x-avro-key": key_schema} if key_schema else {}),
        "x-subject": subject(topic.name, "value"),
        "x-compatibility": compatibility("value"),
        "x-fields-of-every-version": list(topic.base_fields),
    }


def text() -> str:
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_anywhere()
    sys.stdout.write(text())
