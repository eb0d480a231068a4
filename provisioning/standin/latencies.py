"""How long things take, in seconds of the stand-in's clock.

The figures of `CLOUD` follow what users report and the Terraform provider waits for; a key's first answers
come from several frontend nodes, of which one may still not know it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latencies:
    cluster: float = 0.0  # PROVISIONING -> PROVISIONED
    cluster_gone: float = 0.0  # DELETE -> 403
    registry: float = (
        0.0  # first cluster ready -> Schema Registry listed; as long again until it is PROVISIONED
    )
    pool: float = 0.0
    pool_gone: float = 0.0
    environment_gone: float = 0.0
    key: float = 0.0  # POST -> its data plane knows it
    key_nodes: tuple[bool, ...] = ()  # whether each of the first calls after that meets a node that knows it
    key_flaps: float = 60.0  # where a key flaps: from its first success until every node knows it
    binding: float = 0.0  # POST -> 403 ends
    topic_gone: float = 0.0  # "marked for deletion" until then
    first_statement: float = 0.0  # role -> the first statement is accepted, where it is not at once
    statement: float = 0.0  # PENDING -> COMPLETED, RUNNING or FAILED
    stop: float = 0.0
    statement_gone: float = 0.0
    listed: float = 0.0  # a new object is missing from lists until then
    unlisted: float = 0.0  # a deleted one shows in lists until then


INSTANT = Latencies()

CLOUD = Latencies(
    cluster=40.0,
    cluster_gone=30.0,
    registry=10.0,
    pool=25.0,
    pool_gone=15.0,
    environment_gone=10.0,
    key=40.0,
    key_nodes=(True, False, True, True, False),
    binding=30.0,
    topic_gone=12.0,
    first_statement=75.0,
    statement=15.0,
    stop=5.0,
    statement_gone=1.0,
    listed=2.0,
    unlisted=10.0,
)
