"""Building the lab: the steps, what each needs, and what config.yaml gets in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from provisioning import configfile
from provisioning.resources import (
    account,
    cluster,
    engine,
    environment,
    keys,
    pool,
    queries,
    registry,
    subjects,
    topics,
)
from provisioning.resources.organization import flink_region
from provisioning.roundtrip import librdkafka
from provisioning.runner import Step
from provisioning.session import Roundtrip, Session
from provisioning.waiting import Steps
from provisioning.wanted import EMBEDDED, FLINK

Arm = Callable[[Session], str]


def steps(session: Session, config: Path, roundtrip: Roundtrip, arm: Arm = lambda _: "none") -> list[Step]:
    """arm: the cost guard of --hours. It watches before the first query runs; and none runs on a Kafka that failed."""
    s, region = session, dict[str, str]()
    built = [
        Step("region", "Flink in the region", lambda: _region(s, region)),
        Step("environment", "Environment", lambda: _environment(s, region), ("region",)),
        Step("cluster", "Kafka cluster", lambda: cluster.ensure(s), ("environment",)),
        Step("pool", "Flink compute pool", lambda: pool.ensure(s), ("environment",)),
        Step("account", "Service account", lambda: account.ensure(s), ("environment",)),
        Step("role", "Role of the account", lambda: account.ensure_role(s), ("account",)),
        Step("registry", "Schema Registry", lambda: registry.ensure(s), ("cluster",)),
        Step(
            "kafka key", "API key for Kafka", lambda: keys.ensure(s, "kafka"), ("role", "cluster", "registry")
        ),
        Step(
            "registry key",
            "API key for Schema Registry",
            lambda: keys.ensure(s, "registry"),
            ("role", "registry"),
        ),
        Step("flink key", "API key for Flink", lambda: keys.ensure(s, "flink"), ("role", "pool", "registry")),
        Step(
            "standing",
            "Topics that stand",
            lambda: engine.recover(s),
            ("kafka key", "registry key", "flink key"),
        ),
        Step("model", "Language model", lambda: queries.ensure_model(s), ("standing",)),
        Step("engine", "Analytics engine", lambda: engine.ensure(s), ("model",)),
        Step("topics", "Topics", lambda: topics.ensure(s), ("engine",)),
        Step("schemas", "Schemas", lambda: subjects.ensure(s), ("engine",)),
        Step("check", "One record there and back", lambda: roundtrip(s), ("topics", "schemas")),
        Step("config", "config.yaml", lambda: write_config(s, config), ("check",)),
    ]
    if s.wanted.engine == FLINK:
        built[-1:-1] = [
            Step("tables", "Flink tables", lambda: queries.ensure_tables(s), ("topics", "schemas", "pool")),
            Step("guard", "Cost guard", lambda: arm(s), ("tables", "check")),
            Step("queries", "Flink queries", lambda: queries.ensure_queries(s), ("guard",)),
        ]
        built[-1] = Step("config", "config.yaml", lambda: write_config(s, config), ("queries",))
    return built


def _region(session: Session, region: dict[str, str]) -> str:
    region.update(flink_region(session))
    return region["id"]


def _environment(session: Session, region: dict[str, str]) -> Steps[str]:
    """The journal hears of the region with the environment: a name that is taken leaves nothing in it."""
    made = yield from environment.ensure(session)
    if session.entry.get("flink") != region:
        session.entry.put("flink", region)
    return made


def write_config(session: Session, path: Path) -> str:
    changed = configfile.write(path, sections(session))
    if changed:
        session.changes.append(f"wrote {path}")
    return "written" if changed else "unchanged"


def sections(session: Session) -> Mapping[str, Mapping[str, Any]]:
    key = session.key("registry") or {}
    kafka = {
        **librdkafka(session),
        "schema_registry_url": key["endpoint"],
        "schema_registry_api_key": key["id"],
        "schema_registry_secret": key["secret"],
        "topics": dict(session.wanted.topics),
        "consumer_group": session.wanted.consumer_group,
    }
    analytics: dict[str, str] = {}
    if session.wanted.engine == FLINK:
        analytics = {"engine": FLINK, "commentary": FLINK if session.commentary_by_flink else EMBEDDED}
    return {"kafka": kafka, "analytics": analytics}
