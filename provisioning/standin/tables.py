"""What a statement does when it runs: tables are topics with subjects, as on the real thing."""

import json
from typing import Any

from . import connections, topics
from .cloud import Cloud
from .embedded_services import Subjects
from .records import Agent, Model, Statement, Topic
from .sql_parser import Column, Parsed, Query
from .sql_tokens import SqlError

AVRO_TYPES: dict[str, Any] = {
    "STRING": "string",
    "VARCHAR": "string",
    "CHAR": "string",
    "INT": "int",
    "INTEGER": "int",
    "BIGINT": "long",
    "DOUBLE": "double",
    "FLOAT": "float",
    "BOOLEAN": "boolean",
    "BYTES": "bytes",
    "VARBINARY": "bytes",
    "TIMESTAMP_LTZ": {"type": "long", "logicalType": "timestamp-millis"},
    "TIMESTAMP": {"type": "long", "logicalType": "local-timestamp-millis"},
    "DATE": {"type": "int", "logicalType": "date"},
    "ARRAY": {"type": "array", "items": "string"},  # of text, which is what the lab has
}
JSON_TYPES: dict[str, Any] = {
    "string": {"type": "string"},
    "int": {"type": "integer", "connect.type": "int32"},
    "long": {"type": "number", "connect.type": "int64"},
    "double": {"type": "number", "connect.type": "float64"},
    "float": {"type": "number", "connect.type": "float32"},
    "boolean": {"type": "boolean"},
    "array": {"type": "array", "items": {"type": "string"}},
}


class Database:
    """The environment and cluster in which one statement runs."""

    def __init__(self, cloud: Cloud, statement: Statement) -> None:
        self.cloud = cloud
        self.environment_id = statement.environment_id
        environment = cloud.environments[statement.environment_id]
        catalog = statement.properties.get("sql.current-catalog")
        if catalog not in (environment.id, environment.name):
            raise SqlError(f"A catalog with name or ID '{catalog}' cannot be found.")
        database = statement.properties.get("sql.current-database")
        clusters = cloud.live_in(cloud.clusters.values(), statement.environment_id)
        found = next((cluster for cluster in clusters if database in (cluster.id, cluster.name)), None)
        if found is None:
            raise SqlError(f"A database with name or ID '{database}' cannot be found in catalog '{catalog}'.")
        self.cluster = found

    def table(self, name: str) -> Topic | None:
        found = self.cloud.topic(self.cluster.id, name)
        return found if found and found.deleted is None else None

    def known(self, name: str) -> Topic:
        found = self.table(name)
        if found is None:
            raise SqlError(
                f"Table (or view) '{name}' does not exist or is not accessible in '{self.cluster.name}'."
            )
        return found

    def subjects(self) -> Subjects:
        registry = next(self.cloud.live_in(self.cloud.registries.values(), self.environment_id), None)
        if registry is None:
            raise SqlError("Schema Registry is not enabled in the environment.")
        return self.cloud.subjects[registry.id]


def run(database: Database, parsed: Parsed, dry: bool) -> frozenset[tuple[str, str]]:
    """Does what the statement says; returns the tables that it keeps using. Raises SqlError."""
    used: set[tuple[str, str]] = set()
    for query in parsed.queries:
        sink = database.known(query.sink)
        used |= {(database.cluster.id, name) for name in {query.sink} | _check_reads(database, query)}
        if query.updating and not sink.upsert:
            raise SqlError(
                f"Table sink '{query.sink}' doesn't support consuming update and delete changes "
                "which is produced by node GroupAggregate."
            )
    if parsed.queries:
        return frozenset(used)
    if act := ACTIONS.get(parsed.kind):
        act(database, parsed, dry)
    elif parsed.reads:
        _check_reads(database, parsed.reads)
    return frozenset()


def _check_reads(database: Database, query: Query) -> set[str]:
    """Gives the tables that it reads. Raises SqlError for a table, model or agent that is not there."""
    for model in query.models:
        if _model(database, model) is None:
            raise SqlError(f"Model '{model}' does not exist.")
    for agent in query.agents:
        if _agent(database, agent) is None:
            raise SqlError(f"Agent '{agent}' does not exist.")
    return {database.known(source).name for source in query.sources}


def create_table(database: Database, parsed: Parsed, dry: bool) -> None:
    if database.table(parsed.name):
        if parsed.lenient:
            return
        raise SqlError(f"Table '{parsed.name}' already exists.")
    schemas = _schemas(parsed)
    if database.cloud.topic(database.cluster.id, parsed.name):
        raise SqlError(f"Topic '{parsed.name}' is marked for deletion.")
    if dry:
        return
    for part, (kind, schema) in schemas.items():
        body = {"schemaType": kind, "schema": schema}
        status, answer = database.subjects().handle(
            "POST", f"/subjects/{parsed.name}-{part}/versions", {}, body
        )
        if status >= 300:
            raise SqlError(f"The schema of '{parsed.name}-{part}' was refused: {answer.get('message')}")
    policy = parsed.options.get("kafka.cleanup-policy", "delete").replace("delete-compact", "compact,delete")
    # Flink's durations: '24 h', '1 d', '0' for ever.
    duration = parsed.options.get("kafka.retention.time", "7 d")
    number, _, unit = duration.strip().partition(" ")
    factors = {"ms": 1, "s": 1000, "min": 60_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
    if not number.isdigit() or (unit and unit not in factors):
        raise SqlError(f"Could not parse value '{duration}' for key 'kafka.retention.time'.")
    retention = int(number) * factors[unit] if unit and number != "0" else -1
    configs = {"cleanup.policy": policy, "retention.ms": str(retention)}
    made = topics.new_topic(database.cloud, database.cluster.id, parsed.name, parsed.buckets, configs)
    made.upsert = parsed.primary


def _schemas(parsed: Parsed) -> dict[str, tuple[str, str]]:
    """Gives part (key, value) -> (schema type, schema) of each part that has one."""
    whole = parsed.options.get("value.fields-include") == "all"
    parts = {
        "key": [c for c in parsed.columns if c.name in parsed.key],
        "value": [c for c in parsed.columns if whole or c.name not in parsed.key],
    }
    found = {}
    for part, columns in parts.items():
        style = parsed.options.get(f"{part}.format", "avro-registry")
        if columns and style in ("avro-registry", "json-registry"):
            found[part] = _schema(style, f"{parsed.name.replace('-', '_')}_{part}", columns)
    return found


def _schema(style: str, name: str, columns: list[Column]) -> tuple[str, str]:
    types = {}
    for column in columns:
        if column.type not in AVRO_TYPES:
            raise SqlError(f"The stand-in doesn't know the type {column.type} of column '{column.name}'.")
        types[column.name] = AVRO_TYPES[column.type]
    if style == "json-registry":
        properties = {}
        for index, column in enumerate(columns):
            avro: Any = types[column.name]
            plain = JSON_TYPES.get(avro if isinstance(avro, str) else avro["type"], {"type": "string"})
            typed = {"oneOf": [{"type": "null"}, plain]} if column.nullable else plain
            properties[column.name] = {"connect.index": index, **typed}
        needed = [c.name for c in columns if not c.nullable]
        document = {"type": "object", "title": name, "properties": properties}
        return "JSON", json.dumps(document | ({"required": needed} if needed else {}))
    fields = [
        {"name": c.name, "type": ["null", types[c.name]], "default": None}
        if c.nullable
        else {"name": c.name, "type": types[c.name]}
        for c in columns
    ]
    space = "org.apache.flink.avro.generated.record"
    return "AVRO", json.dumps({"type": "record", "name": name, "namespace": space, "fields": fields})


def drop_table(database: Database, parsed: Parsed, dry: bool) -> None:
    """Drops the topic. Its subjects are deleted softly only, as has been seen on the real thing."""
    found = database.table(parsed.name)
    if found is None and not parsed.lenient:
        database.known(parsed.name)
    if found is None or dry:
        return
    database.cloud.delete(found, database.cloud.latencies.topic_gone)
    for part in ("key", "value"):
        database.subjects().handle("DELETE", f"/subjects/{parsed.name}-{part}", {}, None)


def alter_table(database: Database, parsed: Parsed, dry: bool) -> None:
    if not (parsed.lenient and database.table(parsed.name) is None):
        topic = database.known(parsed.name)
        topic.touched += not dry


def create_connection(database: Database, parsed: Parsed, dry: bool) -> None:
    if connections.live(database.cloud, database.environment_id, parsed.name):
        if parsed.lenient:
            return
        raise SqlError(f"Connection '{parsed.name}' already exists.")
    options, secrets = dict(parsed.options), {}
    for option, secret in CONNECTION_SECRETS.items():
        if option in options:
            secrets[secret] = options.pop(option)
    kind, endpoint = options.pop("type", ""), options.pop("endpoint", "")
    if not kind or not endpoint or options:
        raise SqlError(f"CREATE CONNECTION needs 'type' and 'endpoint', and knows no {sorted(options)}.")
    if not dry:
        connections.add(database.cloud, database.environment_id, parsed.name, kind.upper(), endpoint, secrets)


CONNECTION_SECRETS = {
    "aws-access-key": "AWS_ACCESS_KEY_ID",
    "aws-secret-key": "AWS_SECRET_ACCESS_KEY",
    "aws-session-token": "AWS_SESSION_TOKEN",
    "api-key": "API_KEY",
}


def drop_connection(database: Database, parsed: Parsed, dry: bool) -> None:
    found = connections.live(database.cloud, database.environment_id, parsed.name)
    if found is None and not parsed.lenient:
        raise SqlError(f"Connection '{parsed.name}' does not exist.")
    if found is not None and not dry:
        database.cloud.delete(found)


def _model(database: Database, name: str) -> Model | None:
    found = database.cloud.live_in(database.cloud.models, database.environment_id)
    return next((m for m in found if m.name == name), None)


def create_model(database: Database, parsed: Parsed, dry: bool) -> None:
    if _model(database, parsed.name) and parsed.lenient:
        return
    provider = parsed.options.get("provider", "")
    connection = parsed.options.get(f"{provider}.connection", "")
    if not provider or "task" not in parsed.options:
        raise SqlError("CREATE MODEL needs the options 'provider' and 'task'.")
    managed = provider == "confluent"  # a model of the service's own needs no connection
    if not managed and connections.live(database.cloud, database.environment_id, connection) is None:
        raise SqlError(f"Connection '{connection}' does not exist.")
    if not dry:
        made = Model(
            id=database.cloud.uuid(),
            name=parsed.name,
            environment_id=database.environment_id,
            connection=connection,
            options=dict(parsed.options),
        )
        database.cloud.models.append(database.cloud.made(made))


def drop_model(database: Database, parsed: Parsed, dry: bool) -> None:
    found = _model(database, parsed.name.removesuffix("$all"))
    if found is None and not parsed.lenient:
        raise SqlError(f"Model '{parsed.name}' does not exist.")
    if found is not None and not dry:
        database.cloud.delete(found)


def _agent(database: Database, name: str) -> Agent | None:
    found = database.cloud.live_in(database.cloud.agents, database.environment_id)
    return next((a for a in found if a.name == name), None)


def create_agent(database: Database, parsed: Parsed, dry: bool) -> None:
    if _agent(database, parsed.name):
        if parsed.lenient:
            return
        raise SqlError(f"Agent '{parsed.name}' already exists.")
    if _model(database, parsed.model) is None:
        raise SqlError(f"Model '{parsed.model}' does not exist.")
    if not dry:
        cloud, environment_id = database.cloud, database.environment_id
        made = Agent(id=cloud.uuid(), name=parsed.name, environment_id=environment_id, model=parsed.model)
        cloud.agents.append(cloud.made(made))


def drop_agent(database: Database, parsed: Parsed, dry: bool) -> None:
    found = _agent(database, parsed.name)
    if found is None and not parsed.lenient:
        raise SqlError(f"Agent '{parsed.name}' does not exist.")
    if found is not None and not dry:
        database.cloud.delete(found)


ACTIONS = {
    "CREATE_AGENT": create_agent,
    "DROP_AGENT": drop_agent,
    "CREATE_TABLE": create_table,
    "ALTER_TABLE": alter_table,
    "DROP_TABLE": drop_table,
    "CREATE_CONNECTION": create_connection,
    "DROP_CONNECTION": drop_connection,
    "CREATE_MODEL": create_model,
    "DROP_MODEL": drop_model,
}
