"""What stands in the stand-in, for comparing: by names without ids, or strangers' things in full."""

from dataclasses import asdict
from typing import Any, TypeVar

from provisioning.standin.cloud import Cloud
from provisioning.standin.records import Cluster, Environment, Resource

R = TypeVar("R", bound=Resource)


def snapshot(cloud: Cloud) -> dict[str, Any]:
    """All that isn't a stranger's and isn't deleted. In equal pictures the same things stand, made once."""
    environments = [e for e in cloud.alive(cloud.environments.values()) if _has_ours(cloud, e)]
    return {
        "environments": {e.name: _environment(cloud, e) for e in environments},
        "accounts": sorted(a.name for a in _ours(cloud, list(cloud.accounts.values()))),
        "bindings": sorted(
            (_account_name(cloud, b.principal.removeprefix("User:")), b.role, _scope(cloud, b.crn))
            for b in _ours(cloud, list(cloud.bindings.values()))
        ),
        "keys": sorted(
            (_account_name(cloud, k.owner), k.kind, k.name) for k in _ours(cloud, list(cloud.keys.values()))
        ),
    }


def foreign_things(cloud: Cloud) -> list[dict[str, Any]]:
    """Every field of what `seed` put there, how often it was changed included; using a key changes nothing."""
    return [asdict(resource) | {"asked": 0} for resource in everything(cloud) if resource.foreign]


def everything(cloud: Cloud) -> list[Resource]:
    """Without the Schema Registries, which come by themselves."""
    found: list[Resource] = []
    for collection in (
        cloud.environments,
        cloud.clusters,
        cloud.pools,
        cloud.accounts,
        cloud.bindings,
        cloud.keys,
    ):
        found += collection.values()
    return sorted(
        [*found, *cloud.topics, *cloud.connections, *cloud.models, *cloud.statements],
        key=lambda r: r.sequence,
    )


def _ours(cloud: Cloud, resources: list[R]) -> list[R]:
    return [resource for resource in cloud.alive(resources) if not resource.foreign]


def _has_ours(cloud: Cloud, environment: Environment) -> bool:
    """A borrowed environment is a stranger's and may hold ours."""
    inside = [r for r in everything(cloud) if getattr(r, "environment_id", "") == environment.id]
    return not environment.foreign or bool(_ours(cloud, inside))


def _environment(cloud: Cloud, environment: Environment) -> dict[str, Any]:
    def inside(collection: Any) -> list[Any]:
        return [r for r in _ours(cloud, list(collection)) if r.environment_id == environment.id]

    return {
        "package": environment.package,
        "clusters": sorted(
            (c.name, c.kind, c.region, _topics(cloud, c)) for c in inside(cloud.clusters.values())
        ),
        "pools": sorted((p.name, p.max_cfu, p.region) for p in inside(cloud.pools.values())),
        "subjects": _subjects(cloud, environment.id),
        "connections": sorted((c.name, c.type, c.endpoint) for c in inside(cloud.connections)),
        "models": sorted(m.name for m in inside(cloud.models)),
        "statements": sorted((s.name, s.phase, s.sql) for s in inside(cloud.statements)),
    }


def _topics(cloud: Cloud, cluster: Cluster) -> list[tuple[str, int, list[tuple[str, str]]]]:
    found = [t for t in _ours(cloud, cloud.topics) if t.cluster_id == cluster.id]
    return sorted((t.name, t.partitions, sorted(t.configs.items())) for t in found)


def _subjects(cloud: Cloud, environment_id: str) -> list[str]:
    """Softly deleted ones too: they stand until they are deleted for good."""
    registry = next(cloud.live_in(cloud.registries.values(), environment_id), None)
    return cloud.subjects[registry.id].names(deleted=True) if registry else []


def _account_name(cloud: Cloud, account_id: str) -> str:
    account = cloud.accounts.get(account_id)
    return account.name if account else account_id


def _scope(cloud: Cloud, crn: str) -> str:
    """The CRN with names for ids."""
    scope = crn.removeprefix(cloud.crn)
    for environment in cloud.environments.values():
        scope = scope.replace(environment.id, environment.name)
    return scope
