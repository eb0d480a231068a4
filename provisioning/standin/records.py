"""What the stand-in keeps: one dataclass a kind of resource. Times are seconds of its clock."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

_SEQUENCE: Iterator[int] = itertools.count(1)


def wall_time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(kw_only=True)
class Resource:
    id: str
    name: str
    created: float = 0.0
    ready: float = 0.0  # from when its phase is the final one
    deleted: float | None = None  # the moment of its DELETE
    gone: float | None = None  # from when a GET knows it no more
    failed: bool = False
    foreign: bool = False
    created_at: str = field(default_factory=wall_time)
    sequence: int = field(default_factory=lambda: next(_SEQUENCE))
    touched: int = 0  # how often a call changed or deleted it


@dataclass(kw_only=True)
class Environment(Resource):
    package: str = ""


@dataclass(kw_only=True)
class Cluster(Resource):
    environment_id: str
    cloud: str
    region: str
    availability: str
    kind: str
    endpoint: str  # pkc-…
    max_ecku: int | None = None
    protected: bool = False
    bootstrap: str = ""


@dataclass(kw_only=True)
class SchemaRegistry(Resource):
    environment_id: str
    cloud: str
    region: str
    endpoint: str  # psrc-…


@dataclass(kw_only=True)
class Pool(Resource):
    environment_id: str
    cloud: str
    region: str
    max_cfu: int
    default: bool = False


@dataclass(kw_only=True)
class Account(Resource):
    description: str = ""


@dataclass(kw_only=True)
class Binding(Resource):
    principal: str
    role: str
    crn: str


@dataclass(kw_only=True)
class Key(Resource):
    secret: str
    owner: str
    resource: str  # lkc-…, lsrc-…, aws.us-east-2, cloud or global
    kind: str  # Cluster, SchemaRegistry, Region, Cloud, Global
    environment_id: str = ""
    description: str = ""
    asked: int = 0  # calls since it is synced, see Latencies.key_nodes


@dataclass(kw_only=True)
class Topic(Resource):
    cluster_id: str
    partitions: int
    upsert: bool = False  # a table with a primary key
    configs: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Connection(Resource):
    environment_id: str
    type: str
    endpoint: str
    auth: dict[str, str]
    phase: str = "ACTIVE"
    version: int = 1


@dataclass(kw_only=True)
class Model(Resource):
    environment_id: str
    connection: str
    options: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Agent(Resource):
    environment_id: str
    model: str


@dataclass(kw_only=True)
class Statement(Resource):
    environment_id: str
    sql: str
    kind: str  # CREATE_TABLE, INSERT_INTO, …
    properties: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    pool_id: str
    principal: str
    updated_at: str = ""
    phase: str = "PENDING"
    detail: str = ""
    exhausted: bool = False
    due: float = 0.0  # when the phase moves on
    stopped: bool = False
    version: int = 1
    tables: frozenset[tuple[str, str]] = frozenset()  # (cluster, topic) that it reads or writes while it runs
