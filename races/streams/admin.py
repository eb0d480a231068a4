"""The topics a configured Kafka must have, made where we may and named where we may not."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import ClusterMetadata
from confluent_kafka.cimpl import NewTopic  # the admin module's types don't re-export it

from races.streams.config import StreamSettings
from races.streams.errors import BrokerUnavailable, TopicsMissing
from races.streams.logs import QUIET, librdkafka_log
from races.streams.topics import DAY_MS, TOPICS, Topic

TIMEOUT_S = 10.0
NO_ANSWER = "no answer in time"
# A record's time is its event's, whatever the broker's default is.
PRODUCERS_TIME = {"message.timestamp.type": "CreateTime"}
ADVERTISED = "Its advertised.listeners must be an address that this machine can reach"


class _Admin:
    """A client that can say why nobody answers: librdkafka tries again in silence and tells a callback only."""

    def __init__(self, settings: StreamSettings) -> None:
        self._settings, self._why = settings, ""
        options: dict[str, Any] = {**QUIET, **settings.librdkafka, "error_cb": self.on_error}
        self.client = AdminClient(options, logger=librdkafka_log)

    def metadata(self, timeout: float) -> ClusterMetadata:
        """Raises BrokerUnavailable."""
        try:
            return self.client.list_topics(timeout=timeout)
        except KafkaException as error:
            self.client.poll(0)
            why = self._settings.public(self._why or error.args[0].str())
            raise BrokerUnavailable(f"Kafka at {self._settings.bootstrap} does not answer: {why}") from error

    def on_error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # which says that they are, not why
            self._why = str(error.str())

    def why(self) -> str:
        """What librdkafka said last of a broker that it cannot reach, such as a name that nobody resolves."""
        self.client.poll(0)
        return self._settings.public(self._why)


def ensure_topics(settings: StreamSettings, timeout: float = TIMEOUT_S) -> list[str]:
    """Creates the missing topics and returns their names; the embedded cluster makes its own.

    Raises BrokerUnavailable (wait), TopicsMissing (a person must create them, or allow us to).
    """
    if settings.embedded:
        return []
    admin = _Admin(settings)
    missing = _missing(admin, settings, timeout)
    if not missing:
        return []
    new = []
    for topic in missing:
        kept = {"retention.ms": str(topic.retention_ms), "cleanup.policy": topic.cleanup_policy}
        new.append(
            NewTopic(
                settings.topic(topic.role),
                num_partitions=topic.partitions,
                replication_factor=-1,
                config=kept | PRODUCERS_TIME,
            )
        )
    futures = admin.client.create_topics(new)
    end = time.monotonic() + timeout
    refused = {name: words for name, future in futures.items() if (words := _refusal(future, end))}
    if NO_ANSWER in refused.values() and admin.why():
        raise BrokerUnavailable(
            f"Kafka at {settings.bootstrap} answers, but a broker that it names does not: {admin.why()}. "
            f"{ADVERTISED}"
        )
    if refused:
        why = "; ".join(f"{name}: {words}" for name, words in sorted(refused.items()))
        raise TopicsMissing(f"these topics are missing and could not be created ({why})")
    # the controller has made them; the brokers learn it a moment later
    end = time.monotonic() + timeout
    while _missing(admin, settings, timeout):
        if time.monotonic() > end:
            raise BrokerUnavailable(f"Kafka at {settings.bootstrap} doesn't show the topics it has made")
        time.sleep(0.02)
    return sorted(futures)


def create_topic(
    settings: StreamSettings, name: str, partitions: int = 1, timeout: float = TIMEOUT_S
) -> bool:
    """A topic that is none of the lab's, kept as long as those are. Whether it is new.

    Raises BrokerUnavailable, TopicsMissing.
    """
    admin = _Admin(settings)
    if name in admin.metadata(timeout).topics:
        return False
    config = {"retention.ms": str(DAY_MS), "cleanup.policy": "delete", **PRODUCERS_TIME}
    new = NewTopic(name, num_partitions=partitions, replication_factor=-1, config=config)
    words = _refusal(admin.client.create_topics([new])[name], time.monotonic() + timeout)
    if words:
        raise TopicsMissing(f"the topic {name} could not be created ({words})")
    end = time.monotonic() + timeout
    while name not in admin.metadata(timeout).topics:
        if time.monotonic() > end:
            raise BrokerUnavailable(f"Kafka at {settings.bootstrap} doesn't show the topic {name}")
        time.sleep(0.02)
    return True


def missing_topics(settings: StreamSettings, timeout: float = TIMEOUT_S) -> list[str]:
    """Raises BrokerUnavailable."""
    missing = _missing(_Admin(settings), settings, timeout)
    return sorted(settings.topic(topic.role) for topic in missing)


def cluster_id(settings: StreamSettings, timeout: float = TIMEOUT_S) -> str:
    """The id of the cluster at this address; it is another one after its storage was made anew. Raises
    BrokerUnavailable.
    """
    return str(_Admin(settings).metadata(timeout).cluster_id)


def _missing(admin: _Admin, settings: StreamSettings, timeout: float) -> list[Topic]:
    there = admin.metadata(timeout).topics
    wanted = (topic for topic in TOPICS.values() if topic.role not in settings.unused)
    return [topic for topic in wanted if settings.topic(topic.role) not in there]


def _refusal(future: object, end: float) -> str:
    """Why a topic was not created; empty when it was, or when somebody else was quicker."""
    try:
        future.result(max(0.0, end - time.monotonic()))  # type: ignore[attr-defined]
    except KafkaException as error:
        problem = error.args[0]
        return "" if problem.code() == KafkaError.TOPIC_ALREADY_EXISTS else str(problem.str())
    except TimeoutError:
        return NO_ANSWER
    return ""
