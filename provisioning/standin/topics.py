"""Kafka REST v3: topics of a cluster. Partitions are counted here; the embedded Kafka always makes four."""

import re
from typing import Any

from .cloud import Cloud
from .records import Cluster, Topic
from .responses import Answer, coded
from .routing import Call, Route

NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")
DEFAULT_PARTITIONS = 6
DEFAULTS = {
    "cleanup.policy": "delete",
    "retention.ms": "604800000",
    "retention.bytes": "-1",
    "max.message.bytes": "2097164",
    "min.insync.replicas": "2",
    "compression.type": "producer",
}


def _cluster(call: Call) -> Cluster:
    found = call.cloud.clusters.get(call.param("cluster"))
    if found is None or found.endpoint != call.host or found.deleted is not None:
        raise coded(40401, "Cluster not found.")
    if not call.cloud.is_ready(found):
        raise coded(50302, "The cluster is not ready.", 503)
    return found


def _topic(call: Call) -> Topic:
    found = call.cloud.topic(_cluster(call).id, call.param("topic"))
    if found is None or found.deleted is not None:
        raise coded(40403, "This server does not host this topic-partition.")
    return found


def _address(cloud: Cloud, cluster: Cluster) -> str:
    return f"{cloud.address}/{cluster.endpoint}/kafka/v3/clusters/{cluster.id}"


def rendered(cloud: Cloud, topic: Topic) -> dict[str, Any]:
    cluster = cloud.clusters[topic.cluster_id]
    address = f"{_address(cloud, cluster)}/topics/{topic.name}"
    return {
        "kind": "KafkaTopic",
        "metadata": {"self": address, "resource_name": f"crn:///kafka={cluster.id}/topic={topic.name}"},
        "cluster_id": cluster.id,
        "topic_name": topic.name,
        "is_internal": False,
        "replication_factor": 3,
        "partitions_count": topic.partitions,
        "partitions": {"related": f"{address}/partitions"},
        "configs": {"related": f"{address}/configs"},
        "partition_reassignments": {"related": f"{address}/partitions/-/reassignment"},
        "authorized_operations": [],
    }


def _listing(address: str, kind: str, data: list[dict[str, Any]]) -> Answer:
    return Answer(200, {"kind": kind, "metadata": {"self": address, "next": None}, "data": data})


def read_cluster(call: Call) -> Answer:
    cluster = _cluster(call)
    address = _address(call.cloud, cluster)
    related = {
        "acls": "acls",
        "brokers": "brokers",
        "broker_configs": "broker-configs",
        "consumer_groups": "consumer-groups",
        "topics": "topics",
        "partition_reassignments": "topics/-/partitions/-/reassignment",
    }
    body = {name: {"related": f"{address}/{path}"} for name, path in related.items()}
    about = {"self": address, "resource_name": f"crn:///kafka={cluster.id}"}
    return Answer(200, {"kind": "KafkaCluster", "metadata": about, "cluster_id": cluster.id, **body})


def listing(call: Call) -> Answer:
    cloud, cluster = call.cloud, _cluster(call)
    found = [t for t in cloud.listed(cloud.topics) if t.cluster_id == cluster.id]
    return _listing(
        f"{_address(cloud, cluster)}/topics", "KafkaTopicList", [rendered(cloud, t) for t in found]
    )


def create(call: Call) -> Answer:
    cloud, cluster, document = call.cloud, _cluster(call), call.body
    if not isinstance(document, dict) or not NAME.fullmatch(str(document.get("topic_name", ""))):
        raise coded(40002, "Topic name is invalid.")
    name, configs = document["topic_name"], _configs(document)
    refuse_existing(cloud, cluster.id, name)
    if document.get("replication_factor", 3) != 3:
        raise coded(40002, "Topic replication factor must be 3.")
    if len([t for t in cloud.alive(cloud.topics) if t.cluster_id == cluster.id]) >= cloud.quotas["topics"]:
        raise coded(40002, "Adding the requested number of partitions will exceed the cluster's limit.")
    made = new_topic(
        cloud, cluster.id, name, int(document.get("partitions_count", DEFAULT_PARTITIONS)), configs
    )
    return Answer(201, rendered(cloud, made))


def refuse_existing(cloud: Cloud, cluster_id: str, name: str) -> None:
    existing = cloud.topic(cluster_id, name)
    if existing is not None and existing.deleted is not None:
        raise coded(40002, f"Topic '{name}' is marked for deletion.")
    if existing is not None:
        raise coded(40002, f"Topic '{name}' already exists.")


def new_topic(cloud: Cloud, cluster_id: str, name: str, partitions: int, configs: dict[str, str]) -> Topic:
    made = Topic(id=name, name=name, cluster_id=cluster_id, partitions=partitions, configs=configs)
    cloud.topics.append(cloud.made(made))
    cloud.brokers[cluster_id].create(name)
    return made


def _configs(document: dict[str, Any], field: str = "configs") -> dict[str, str]:
    given = {str(c.get("name")): str(c.get("value")) for c in document.get(field, [])}
    for name in given:
        if name not in DEFAULTS:
            raise coded(40002, f"Unknown topic config name: {name}")
    return given


def read(call: Call) -> Answer:
    return Answer(200, rendered(call.cloud, _topic(call)))


def resize(call: Call) -> Answer:
    topic, count = _topic(call), int((call.body or {}).get("partitions_count", 0))
    if count <= topic.partitions:
        raise coded(
            40002, f"Topic currently has {topic.partitions} partitions, which is higher than {count}."
        )
    topic.partitions, topic.touched = count, topic.touched + 1
    return Answer(200, rendered(call.cloud, topic))


def delete(call: Call) -> Answer:
    call.cloud.delete(_topic(call), call.cloud.latencies.topic_gone)
    return Answer(204)


def configs(call: Call) -> Answer:
    topic = _topic(call)
    address = f"{_address(call.cloud, call.cloud.clusters[topic.cluster_id])}/topics/{topic.name}/configs"
    data = []
    for name, value in {**DEFAULTS, **topic.configs}.items():
        source = "DYNAMIC_TOPIC_CONFIG" if name in topic.configs else "DEFAULT_CONFIG"
        data.append(
            {
                "kind": "KafkaTopicConfig",
                "metadata": {"self": f"{address}/{name}", "resource_name": None},
                "cluster_id": topic.cluster_id,
                "topic_name": topic.name,
                "name": name,
                "value": value,
                "is_default": name not in topic.configs,
                "is_read_only": False,
                "is_sensitive": False,
                "source": source,
                "synonyms": [{"name": name, "value": value, "source": source}],
            }
        )
    return _listing(address, "KafkaTopicConfigList", data)


def alter_configs(call: Call) -> Answer:
    topic = _topic(call)
    topic.configs |= _configs(call.document(), "data")
    topic.touched += 1
    return Answer(204)


BASE = "/kafka/v3/clusters/{cluster}"
ROUTES: list[Route] = [
    ("GET", BASE, read_cluster),
    ("GET", f"{BASE}/topics", listing),
    ("POST", f"{BASE}/topics", create),
    ("GET", f"{BASE}/topics/{{topic}}", read),
    ("PATCH", f"{BASE}/topics/{{topic}}", resize),
    ("DELETE", f"{BASE}/topics/{{topic}}", delete),
    ("GET", f"{BASE}/topics/{{topic}}/configs", configs),
    ("POST", f"{BASE}/topics/{{topic}}/configs:alter", alter_configs),
]
