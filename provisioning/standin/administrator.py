"""The person whose Cloud API key the commands are given: OrganizationAdmin, as they need it."""

from .cloud import Cloud
from .records import Binding, Key

DEMO_KEY, DEMO_SECRET = "STANDINCLOUDKEY1", "cfltStandInDemoSecretOfNoAccountAtAll"
DEMO_USER = "u-standin"


def add_cloud_key(cloud: Cloud, key: str, secret: str, owner: str) -> Key:
    """Adds a Cloud key of a user, who without a role of its own sees little and may write nothing."""
    made = Key(
        id=key,
        name="the caller's own",
        secret=secret,
        owner=owner,
        resource="cloud",
        kind="Cloud",
        foreign=True,
    )
    cloud.keys[key] = cloud.found(made)
    return made


def add_role(cloud: Cloud, owner: str, role: str = "OrganizationAdmin", scope: str = "") -> Binding:
    """Gives a user a role. `scope` is what follows the organisation in the CRN."""
    made = Binding(
        id=cloud.new_id("rb"),
        name=role,
        principal=f"User:{owner}",
        role=role,
        crn=cloud.crn + scope,
        foreign=True,
    )
    cloud.bindings[made.id] = cloud.found(made)
    return made


def add_administrator(cloud: Cloud) -> None:
    add_cloud_key(cloud, DEMO_KEY, DEMO_SECRET, DEMO_USER)
    add_role(cloud, DEMO_USER)
