"""The topics a configured Kafka must have, made where we may and named where we may not."""

from __future__ import annotations

import time

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic  # the admin module's types don't re-export it

from races.streams.config import StreamSettings
from races.streams.errors import BrokerUnavailable, TopicsMissing
from races.streams.logs import QUIET, librdkafka_log
from races.streams.topics import TOPICS, Topic

TIMEOUT_S = 10.0


def ensure_topics(settings: StreamSettings, timeout: float = TIMEOUT_S) -> list[str]:
    """Creates the missing topics and returns their names; the embedded cluster makes its own.

    Raises BrokerUnavailable (wait), TopicsMissing (a person must create them, or allow us to).
    """
    if settings.embedded:
        return []
    admin = AdminClient({**QUIET, **settings.librdkafka}, logger=librdkafka_log)
    missing = _missing(admin, settings, timeout)
    if not missing:
        return []
    futures = admin.create_topics([_new(topic, settings.topic(topic.role)) for topic in missing])
    refused = {name: words for name, future in futures.items() if (words := _refusal(future, timeout))}
    if refused:
        why = "; ".join(f"{name}: {words}" for name, words in sorted(refused.items()))
        raise TopicsMissing(f"these topics are missing and could not be created ({why})")
    _wait_until_seen(admin, settings, timeout)
    return sorted(futures)


def _wait_until_seen(admin: AdminClient, settings: StreamSettings, timeout: float) -> None:
    """The controller has made them; the brokers learn it a moment later."""
    end = time.monotonic() + timeout
    while _missing(admin, settings, timeout):
        if time.monotonic() > end:
            raise BrokerUnavailable(f"Kafka at {settings.bootstrap} doesn't show the topics it has made")
        time.sleep(0.02)


def missing_topics(settings: StreamSettings, timeout: float = TIMEOUT_S) -> list[str]:
    """Raises BrokerUnavailable."""
    admin = AdminClient({**QUIET, **settings.librdkafka}, logger=librdkafka_log)
    return sorted(settings.topic(topic.role) for topic in _missing(admin, settings, timeout))


def cluster_id(settings: StreamSettings, timeout: float = TIMEOUT_S) -> str:
    """Which cluster answers at this address: another one after its storage was made anew. Raises
    BrokerUnavailable.
    """
    admin = AdminClient({**QUIET, **settings.librdkafka}, logger=librdkafka_log)
    try:
        return str(admin.list_topics(timeout=timeout).cluster_id)
    except KafkaException as error:
        raise BrokerUnavailable(f"Kafka at {settings.bootstrap}: {error.args[0].str()}") from error


def _missing(admin: AdminClient, settings: StreamSettings, timeout: float) -> list[Topic]:
    try:
        there = admin.list_topics(timeout=timeout).topics
    except KafkaException as error:
        raise BrokerUnavailable(f"Kafka at {settings.bootstrap}: {error.args[0].str()}") from error
    wanted = (topic for topic in TOPICS.values() if topic.role not in settings.unused)
    return [topic for topic in wanted if settings.topic(topic.role) not in there]


def _new(topic: Topic, name: str) -> NewTopic:
    config = {"retention.ms": str(topic.retention_ms), "cleanup.policy": topic.cleanup_policy}
    return NewTopic(name, num_partitions=topic.partitions, replication_factor=-1, config=config)


def _refusal(future: object, timeout: float) -> str:
    """Why a topic was not created; empty when it was, or when somebody else was quicker."""
    try:
        future.result(timeout)  # type: ignore[attr-defined]
    except KafkaException as error:
        problem = error.args[0]
        return "" if problem.code() == KafkaError.TOPIC_ALREADY_EXISTS else str(problem.str())
    except TimeoutError:
        return "no answer in time"
    return ""
