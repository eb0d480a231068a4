"""Building the lab: the steps, what each needs, and what config.yaml gets in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from provisioning import config_file
from provisioning.config import EMBEDDED, FLINK
from provisioning.private_file import write_private
from provisioning.resources import (
    analytics_switch,
    api_keys,
    cluster,
    environment,
    flink_pool,
    flink_queries,
    schema_registry,
    service_account,
    subjects,
    topics,
)
from provisioning.resources.flink_pool import flink_region
from provisioning.session import Session, SmokeTest
from provisioning.smoke_test import librdkafka
from provisioning.steps import Step, Steps
from races.flink.confluent import CloudFlink

Arm = Callable[[Session], str]


def steps(session: Session, config: Path, roundtrip: SmokeTest, arm: Arm = lambda _: "none") -> list[Step]:
    """Gives the steps in their order. arm starts the cost guard of --hours: it watches before the first query runs,
    and none runs on a Kafka that failed."""
    s, region = session, dict[str, str]()
    built = [
        Step("region", "Flink in the region", lambda: _region(s, region)),
        Step("environment", "Environment", lambda: _environment(s, region), ("region",)),
        Step("cluster", "Kafka cluster", lambda: cluster.ensure(s), ("environment",)),
        Step("pool", "Flink compute pool", lambda: flink_pool.ensure(s), ("environment",)),
        Step("account", "Service account", lambda: service_account.ensure(s), ("environment",)),
        Step("role", "Role of the account", lambda: service_account.ensure_role(s), ("account",)),
        Step("registry", "Schema Registry", lambda: schema_registry.ensure(s), ("cluster",)),
        Step(
            "kafka key",
            "API key for Kafka",
            lambda: api_keys.ensure(s, "kafka"),
            ("role", "cluster", "registry"),
        ),
        Step(
            "registry key",
            "API key for Schema Registry",
            lambda: api_keys.ensure(s, "registry"),
            ("role", "registry"),
        ),
        Step(
            "flink key",
            "API key for Flink",
            lambda: api_keys.ensure(s, "flink"),
            ("role", "pool", "registry"),
        ),
        Step(
            "standing",
            "Topics that stand",
            lambda: analytics_switch.recover(s),
            ("kafka key", "registry key", "flink key"),
        ),
        Step("model", "Language model", lambda: flink_queries.ensure_model(s), ("standing",)),
        Step("engine", "Analytics engine", lambda: analytics_switch.ensure(s), ("model",)),
        Step("topics", "Topics", lambda: topics.ensure(s), ("engine",)),
        Step("schemas", "Schemas", lambda: subjects.ensure(s), ("engine",)),
        Step("check", "One record there and back", lambda: roundtrip(s), ("topics", "schemas")),
        Step("config", "config.yaml", lambda: write_config(s, config), ("check",)),
    ]
    if s.desired.engine == FLINK:
        built[-1:-1] = [
            Step(
                "tables",
                "Flink tables",
                lambda: flink_queries.ensure_tables(s),
                ("topics", "schemas", "pool"),
            ),
            Step("guard", "Cost guard", lambda: arm(s), ("tables", "check")),
            Step("queries", "Flink queries", lambda: flink_queries.ensure_queries(s), ("guard",)),
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
    changed = config_file.write(path, sections(session))
    if session.desired.engine == FLINK:
        write_private(session.entry.flink_access, flink_access(session).text())
    if changed:
        session.changes.append(f"wrote {path}")
    return "written" if changed else "unchanged"


def flink_access(session: Session) -> CloudFlink:
    key = session.key("flink") or {}
    return CloudFlink(
        endpoint=str(key["endpoint"]),
        key=str(key["id"]),
        secret=str(key["secret"]),
        organization=session.organization,
        environment=session.id("environment"),
        pool=session.id("pool"),
        principal=session.id("account"),
        catalog=str(session.need("environment")["name"]),
        database=str(session.need("cluster")["name"]),
        lab=session.lab,
        cfu=session.desired.max_cfu,
    )


def sections(session: Session) -> Mapping[str, Mapping[str, Any]]:
    key = session.key("registry") or {}
    kafka = {
        **librdkafka(session),
        "schema_registry_url": key["endpoint"],
        "schema_registry_api_key": key["id"],
        "schema_registry_secret": key["secret"],
        "topics": dict(session.desired.topics),
        "consumer_group": session.desired.consumer_group,
    }
    analytics: dict[str, str] = {}
    if session.desired.engine == FLINK:
        analytics = {"engine": FLINK, "commentary": FLINK if session.commentary_by_flink else EMBEDDED}
    return {"kafka": kafka, "analytics": analytics}
