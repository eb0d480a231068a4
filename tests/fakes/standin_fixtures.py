"""Puts things into the stand-in that nobody made through its API: what belongs to other people."""

from provisioning.standin.administrator import add_role
from provisioning.standin.cloud import Cloud
from provisioning.standin.embedded_services import NoBroker
from provisioning.standin.records import (
    Account,
    Cluster,
    Connection,
    Environment,
    Key,
    Pool,
    Statement,
    Topic,
)
from provisioning.standin.topics import new_topic

USER = "u-stranger"
FOREIGN_TEAMS = 12  # more than a page of ten holds


def add_environment(cloud: Cloud, name: str, package: str = "ESSENTIALS") -> Environment:
    made = Environment(id=cloud.new_id("env"), name=name, package=package, foreign=True)
    cloud.environments[made.id] = cloud.found(made)
    return made


def add_cluster(cloud: Cloud, environment_id: str, name: str, region: str = "us-east-2") -> Cluster:
    """A cluster without a Kafka of its own: nobody here sends it records."""
    made = Cluster(
        id=cloud.new_id("lkc"),
        name=name,
        environment_id=environment_id,
        cloud="AWS",
        region=region,
        availability="SINGLE_ZONE",
        kind="Basic",
        endpoint=cloud.new_id("pkc"),
        bootstrap=f"PLAINTEXT://{NoBroker.bootstrap}",
        foreign=True,
    )
    cloud.clusters[made.id] = cloud.found(made)
    cloud.brokers[made.id] = NoBroker()
    return made


def add_topic(cloud: Cloud, cluster_id: str, name: str, partitions: int = 6) -> Topic:
    made = new_topic(cloud, cluster_id, name, partitions, {})
    made.foreign = True
    return made


def add_subject(cloud: Cloud, environment_id: str, subject: str) -> None:
    """Needs the environment's Schema Registry to be there."""
    registry = next(cloud.live_in(cloud.registries.values(), environment_id))
    path = f"/subjects/{subject}/versions"
    cloud.subjects[registry.id].handle("POST", path, {}, {"schema": '"string"'})


def add_pool(cloud: Cloud, environment_id: str, name: str, region: str = "us-east-2") -> Pool:
    made = Pool(
        id=cloud.new_id("lfcp"),
        name=name,
        environment_id=environment_id,
        cloud="AWS",
        region=region,
        max_cfu=10,
        foreign=True,
    )
    cloud.pools[made.id] = cloud.found(made)
    return made


def add_statement(cloud: Cloud, pool: Pool, name: str) -> Statement:
    made = Statement(
        id=cloud.uuid(),
        name=name,
        environment_id=pool.environment_id,
        sql="SELECT 1",
        kind="SELECT",
        pool_id=pool.id,
        principal=USER,
        phase="RUNNING",
        foreign=True,
    )
    cloud.statements.append(cloud.found(made))
    return made


def add_connection(cloud: Cloud, environment_id: str, name: str) -> Connection:
    made = Connection(
        id=cloud.uuid(),
        name=name,
        environment_id=environment_id,
        type="OPENAI",
        endpoint="https://models.example/v1",
        auth={"API_KEY": cloud.new_secret()},
        foreign=True,
    )
    cloud.connections.append(cloud.found(made))
    return made


def add_account(cloud: Cloud, name: str, description: str = "somebody else's") -> Account:
    made = Account(id=cloud.new_id("sa"), name=name, description=description, foreign=True)
    cloud.accounts[made.id] = cloud.found(made)
    return made


def add_key(
    cloud: Cloud, owner: str, resource: str, kind: str, environment_id: str, name: str = "theirs"
) -> Key:
    made = Key(
        id=cloud.new_key_id(),
        name=name,
        secret=cloud.new_secret(),
        owner=owner,
        resource=resource,
        kind=kind,
        environment_id=environment_id,
        foreign=True,
    )
    cloud.keys[made.id] = cloud.found(made)
    return made


def add_foreign_teams(cloud: Cloud, environment: str = "", cluster: str = "", account: str = "") -> None:
    """A dozen environments with all that belongs to them; the last takes the names that are given."""
    for number in range(1, FOREIGN_TEAMS + 1):
        last = number == FOREIGN_TEAMS
        home = add_environment(cloud, (last and environment) or f"team-{number}")
        kafka = add_cluster(cloud, home.id, (last and cluster) or f"team-{number}-cluster")
        pool = add_pool(cloud, home.id, f"team-{number}-pool")
        owner = add_account(cloud, (last and account) or f"team-{number}-account")
        add_role(cloud, owner.id, "EnvironmentAdmin", f"/environment={home.id}")
        add_key(cloud, owner.id, kafka.id, "Cluster", home.id)
        add_statement(cloud, pool, f"team-{number}-query")
        add_connection(cloud, home.id, f"team-{number}-connection")
        add_topic(cloud, kafka.id, "orders")
