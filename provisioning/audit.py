"""The proof of a teardown: what still carries our names, our tag or our owner; and our block out of config.yaml."""

from __future__ import annotations

from pathlib import Path

from provisioning import config_file
from provisioning.journal import Entry
from provisioning.resources import api_keys, cluster, environment, flink_pool, service_account
from provisioning.session import Session
from races.flink.confluent import load as load_access


def clear_config(session: Session, config: Path) -> str:
    """Takes our block out of config.yaml, unless the block is about another lab of the journal."""
    text = config_file.read(config)
    other = next((entry for entry in session.entry.others() if names_cluster(entry, text)), None)
    if other and not names_cluster(session.entry, text):
        return f"is about another lab of the journal ({other.name}): left"
    access = load_access(session.entry.flink_access)
    if access is not None and access.environment == (session.entry.get("environment") or {}).get("id"):
        session.entry.flink_access.unlink(missing_ok=True)
    return "our block taken out" if config_file.remove(config) else "has no block of ours"


def names_cluster(entry: Entry, text: str) -> bool:
    bootstrap = str((entry.get("cluster") or {}).get("bootstrap", "")).rpartition("://")[2]
    return bool(bootstrap) and f"bootstrap.servers: {bootstrap}\n" in text


def audit(session: Session) -> list[str]:
    """Lists what still carries our names, our ownership tag or our owner. Each is looked at, because lists lag."""
    record = session.entry.get("environment") or {}
    found = (
        []
        if record.get("borrowed") or not environment.recorded(session)
        else [f"the environment {record['id']}"]
    )
    if cluster.find(session):
        found.append(f"the Kafka cluster {session.id('cluster')}")
    if flink_pool.find(session):
        found.append(f"the Flink pool {session.id('pool')}")
    owner = (session.entry.get("account") or {}).get("id")
    if record:
        name = session.names.account
        found += [
            f"the service account {name} ({a['id']})"
            for a in service_account.named(session, name)
            if str(a["id"]) == owner
        ]
    if owner:
        listed = session.cloud.pages(api_keys.PATH, **{"spec.owner": owner})
        found += [
            f"the API key {k['id']}" for k in listed if session.cloud.find(f"{api_keys.PATH}/{k['id']}")
        ]
    return found
