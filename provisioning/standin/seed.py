"""Puts things into the stand-in that nobody made through its API: what belongs to other people."""

from .carried import NoBroker
from .cloud import Cloud
from .records import (
    Account,
    Binding,
    Cluster,
    Connection,
    Environment,
    Key,
    Pool,
    Statement,
    Topic,
)
from .topics import new_topic

USER = "u-stranger"
STRANGERS = 12  # more than a page of ten holds


def add_cloud_key(cloud: Cloud, key: str, secret: str, owner: str) -> Key:
    """A Cloud key of a user; without a role of its own the user sees little and may write nothing."""
    made = Key(
        id=key,
        name="the caller's own",
        secret=secret,
        owner=owner,
        resource="cloud",
        kind="Cloud",
        stranger=True,
    )
    cloud.keys[key] = cloud.found(made)
    return made


def add_role(cloud: Cloud, owner: str, role: str = "OrganizationAdmin", scope: str = "") -> Binding:
    """`scope`: what follows the organisation in the CRN."""
    made = Binding(
        id=cloud.new_id("rb"),
        name=role,
        principal=f"User:{owner}",
        role=role,
        crn=cloud.crn + scope,
        stranger=True,
    )
    cloud.bindings[made.id] = cloud.found(made)
    return made


def add_environment(cloud: Cloud, name: str, package: str = "ESSENTIALS") -> Environment:
    made = Environment(id=cloud.new_id("env"), name=name, package=package, stranger=True)
    cloud.environments[made.id] = cloud.found(made)
    return made


def add_cluster(cloud: Cloud, environment_id: str, name: str, region: str = "us-east-2") -> Cluster:
    """Without a Kafka of its own: nobody here sends it records."""
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
        stranger=True,
    )
    cloud.clusters[made.id] = cloud.found(made)
    cloud.brokers[made.id] = NoBroker()
    return made


def add_topic(cloud: Cloud, cluster_id: str, name: str, partitions: int = 6) -> Topic:
    made = new_topic(cloud, cluster_id, name, partitions, {})
    made.stranger = True
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
        stranger=True,
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
        stranger=True,
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
        stranger=True,
    )
    cloud.connections.append(cloud.found(made))
    return made


def add_account(cloud: Cloud, name: str, description: str = "somebody else's") -> Account:
    made = Account(id=cloud.new_id("sa"), name=name, description=description, stranger=True)
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
        stranger=True,
    )
    cloud.keys[made.id] = cloud.found(made)
    return made


def add_strangers(cloud: Cloud, environment: str = "", cluster: str = "", account: str = "") -> None:
    """A dozen environments with all that belongs to them; the last takes the names that are given."""
    for number in range(1, STRANGERS + 1):
        last = number == STRANGERS
        home = add_environment(cloud, (last and environment) or f"team-{number}")
        kafka = add_cluster(cloud, home.id, (last and cluster) or f"team-{number}-cluster")
        pool = add_pool(cloud, home.id, f"team-{number}-pool")
        owner = add_account(cloud, (last and account) or f"team-{number}-account")
        add_role(cloud, owner.id, "EnvironmentAdmin", f"/environment={home.id}")
        add_key(cloud, owner.id, kafka.id, "Cluster", home.id)
        add_statement(cloud, pool, f"team-{number}-query")
        add_connection(cloud, home.id, f"team-{number}-connection")
        add_topic(cloud, kafka.id, "orders")
