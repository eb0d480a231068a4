"""What the project relies on from a Kafka: one suite, run on the embedded cluster and on a real Apache Kafka."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from confluent_kafka import KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewPartitions

from races.streams.admin import missing_topics
from races.streams.codec import Codec
from races.streams.config import StreamSettings, with_topics
from races.streams.consumer import Tail
from races.streams.errors import DeliveryFailed
from races.streams.lag import Lag
from races.streams.logs import QUIET
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES, TOPICS
from tests.streams.records import KEYS, NOW_MS, POSITION, VALUES, eventually, read, settle

RACES_EVERYWHERE = [f"race-{n}" for n in range(16)]  # together they fill every partition


def fresh_names() -> dict[str, str]:
    """Topic names that no other test uses."""
    return {role: f"{name}-{uuid.uuid4().hex[:8]}" for role, name in DEFAULT_NAMES.items()}


def raw_producer(settings: StreamSettings, **options: object) -> Producer:
    return Producer({**QUIET, **settings.librdkafka, **options})


class StreamsContract:
    """A subclass gives `broker`, the settings of a running Kafka, and `make_topics`."""

    @pytest.fixture
    def settings(self, broker: StreamSettings) -> StreamSettings:
        settings = with_topics(broker, fresh_names())
        self.make_topics(settings)
        return settings

    def make_topics(self, settings: StreamSettings) -> None:
        raise NotImplementedError

    @pytest.fixture
    def codec(self, settings: StreamSettings) -> Codec:
        return Codec(settings, Registry())

    @pytest.fixture
    def publisher(self, settings: StreamSettings, codec: Codec) -> Iterator[Publisher]:
        publisher = Publisher(settings, codec)
        yield publisher
        publisher.close()

    def send_ticks(self, publisher: Publisher, ticks: range, race: str = "r1") -> None:
        for tick in ticks:
            publisher.send("positions", race, POSITION | {"tick": tick, "race_id": race}, NOW_MS + tick)
        assert publisher.flush(20) == 0

    def test_every_role_comes_back_as_it_was_sent(
        self, settings: StreamSettings, codec: Codec, publisher: Publisher
    ) -> None:
        for role, value in VALUES.items():
            publisher.send(role, KEYS[role], value, NOW_MS)
        tail = Tail(settings, list(VALUES))
        messages = {message.role: message for message in read(tail, len(VALUES))}
        tail.close()
        assert {role: codec.decode(role, messages[role].value) for role in VALUES} == VALUES
        assert {role: codec.decode_key(role, messages[role].key) for role in VALUES} == KEYS
        assert {message.timestamp_ms for message in messages.values()} == {NOW_MS}

    def test_a_race_stays_in_one_partition_and_in_order(
        self, settings: StreamSettings, codec: Codec, publisher: Publisher
    ) -> None:
        for race in ("r1", "r2", "r3"):
            self.send_ticks(publisher, range(50), race)
        tail = Tail(settings, ["positions"])
        messages = read(tail, 150)
        tail.close()
        for race in ("r1", "r2", "r3"):
            own = [message for message in messages if message.key == race.encode()]
            assert [codec.decode("positions", message.value)["tick"] for message in own] == list(range(50))
            assert len({message.partition for message in own}) == 1

    def test_every_tail_reads_everything(self, settings: StreamSettings, publisher: Publisher) -> None:
        self.send_ticks(publisher, range(20))
        tails = [Tail(settings, ["positions"]) for _ in range(3)]
        for tail in tails:
            assert len(read(tail, 20)) == 20
            tail.close()

    def test_a_tail_from_the_end_sees_only_what_comes_after(
        self, settings: StreamSettings, publisher: Publisher
    ) -> None:
        for race in RACES_EVERYWHERE:
            self.send_ticks(publisher, range(5), race)
        tail = Tail(settings, ["positions"], start="end")
        settle(tail)
        for race in RACES_EVERYWHERE:
            self.send_ticks(publisher, range(5, 8), race)
        messages = read(tail, 3 * len(RACES_EVERYWHERE))
        assert {message.partition for message in messages} == set(range(TOPICS["positions"].partitions))
        assert {message.timestamp_ms - NOW_MS for message in messages} == {5, 6, 7}
        tail.close()

    def test_a_tail_goes_on_from_remembered_offsets(
        self, settings: StreamSettings, publisher: Publisher
    ) -> None:
        self.send_ticks(publisher, range(10))
        first = Tail(settings, ["positions"])
        read(first, 10)
        remembered, cluster = json.loads(json.dumps(first.offsets())), first.incarnation
        first.close()
        self.send_ticks(publisher, range(10, 14))
        second = Tail(settings, ["positions"], remembered, cluster)
        assert [message.timestamp_ms - NOW_MS for message in read(second, 4)] == [10, 11, 12, 13]
        second.close()

    def test_offsets_of_another_cluster_mean_nothing(
        self, settings: StreamSettings, publisher: Publisher
    ) -> None:
        self.send_ticks(publisher, range(4))
        offsets = {"positions": dict.fromkeys(range(TOPICS["positions"].partitions), 3)}
        tail = Tail(settings, ["positions"], offsets, "another cluster")
        assert len(read(tail, 4)) == 4
        assert tail.state.restarts == 1
        tail.close()

    def test_offsets_beyond_the_end_are_read_from_the_beginning(
        self, settings: StreamSettings, publisher: Publisher
    ) -> None:
        self.send_ticks(publisher, range(4))
        offsets = {"positions": dict.fromkeys(range(TOPICS["positions"].partitions), 1000)}
        tail = Tail(settings, ["positions"], offsets)
        assert len(read(tail, 4)) == 4
        tail.close()

    def test_lag_counts_what_is_not_read_yet(self, settings: StreamSettings, publisher: Publisher) -> None:
        clock = FastClock()
        tail = Tail(settings, ["positions", "race_control"], clock=clock)
        self.send_ticks(publisher, range(30))
        eventually("the first one is read", lambda: len(tail.poll(1, 0.05)) == 1)
        clock.skip(5)  # the ends are measured twice a second, before reading
        assert len(tail.poll(1, 5)) == 1
        assert tail.lags() == {"positions": 28, "race_control": 0}
        assert tail.lag().records == tail.lag("positions").records == 28
        assert tail.lag().unread_bytes > 28 * 100
        assert tail.lag("race_control") == Lag()
        read(tail, 28)
        clock.skip(5)
        assert tail.poll(1, 0.01) == []
        assert tail.lag() == Lag()
        tail.close()

    def test_partitions_are_asked_after_a_doubt(self, settings: StreamSettings, publisher: Publisher) -> None:
        clock = FastClock()
        tail = AskingTail(settings, ["positions"], start="end", clock=clock)
        settle(tail)
        every = [(settings.topic("positions"), number) for number in range(TOPICS["positions"].partitions)]
        assert set(tail.asked) == set(every)
        tail.asked = []
        clock.skip(60)
        self.send_ticks(publisher, range(3))
        read(tail, 3)
        assert tail.asked == []
        tail.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        clock.skip(2)
        self.send_ticks(publisher, range(3))
        read(tail, 3)
        assert tail.asked == every
        assert (tail.state.ok, tail.state.gaps, tail.state.restarts) == (True, 0, 0)
        tail.close()

    def test_a_tombstone_arrives_without_a_value(self, settings: StreamSettings, codec: Codec) -> None:
        producer = raw_producer(settings)
        producer.produce(settings.topic("avg_speed"), None, codec.encode_key("avg_speed", KEYS["avg_speed"]))
        producer.flush(10)
        tail = Tail(settings, ["avg_speed"])
        (message,) = read(tail, 1)
        tail.close()
        assert message.value is None
        assert codec.decode_key("avg_speed", message.key) == KEYS["avg_speed"]

    def test_what_a_transaction_has_not_committed_is_read_at_once(self, settings: StreamSettings) -> None:
        """Flink commits about once a minute; the page does not wait for it."""
        producer = raw_producer(settings, **{"transactional.id": uuid.uuid4().hex})
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(settings.topic("avg_speed"), b"open", b"key")
        producer.flush(10)
        tail = Tail(settings, ["avg_speed"])
        assert [message.value for message in read(tail, 1)] == [b"open"]
        tail.close()
        producer.abort_transaction(20)

    def test_transaction_markers_between_records_are_no_gap(self, settings: StreamSettings) -> None:
        producer = raw_producer(settings, **{"transactional.id": uuid.uuid4().hex})
        producer.init_transactions(20)
        for value in (b"1", b"2", b"3"):
            producer.begin_transaction()
            producer.produce(settings.topic("avg_speed"), value, b"key")
            producer.commit_transaction(20)
        tail = Tail(settings, ["avg_speed"])
        assert [message.value for message in read(tail, 3)] == [b"1", b"2", b"3"]
        assert tail.state.gaps == 0
        tail.close()

    @pytest.mark.parametrize("finish", ["commit_transaction", "abort_transaction"])
    def test_markers_are_no_lag(self, settings: StreamSettings, finish: str) -> None:
        """As Flink writes: who has read every record has no lag, and goes on from behind the marker."""
        clock = FastClock()
        producer = raw_producer(settings, **{"transactional.id": uuid.uuid4().hex})
        producer.init_transactions(20)
        producer.begin_transaction()
        for number in range(20):
            producer.produce(settings.topic("commentary"), b"%d" % number, partition=number % 4)
        producer.flush(10)
        getattr(producer, finish)(20)
        tail = Tail(settings, ["commentary"], clock=clock)
        assert len(read(tail, 20)) == 20

        def no_lag() -> bool:
            clock.skip(2)
            return tail.poll(10, 0.05) == [] and tail.lags() == {"commentary": 0}

        eventually("all is read", no_lag)
        offsets = tail.offsets()
        tail.close()
        again = Tail(settings, ["commentary"], offsets, clock=clock)
        settle(again)
        clock.skip(2)
        assert again.poll(10, 0.2) == []
        assert (again.lag().records, again.state.gaps, again.state.restarts) == (0, 0, 0)
        again.close()

    def test_a_late_topic_is_waited_for_and_then_read(self, settings: StreamSettings, codec: Codec) -> None:
        names = dict(settings.topics) | {"commentary": f"late-{uuid.uuid4().hex[:8]}"}
        late = with_topics(settings, names)
        tail = Tail(replace(late, librdkafka={**late.librdkafka}), ["positions", "commentary"])
        if not settings.embedded:  # asking the embedded cluster for a topic makes it
            eventually("the missing topic is named", lambda: names["commentary"] in self.polled(tail))
        self.make_topics(late)
        publisher = Publisher(late, codec)
        publisher.send("commentary", None, VALUES["commentary"], NOW_MS)
        publisher.send("positions", "r1", POSITION, NOW_MS)
        assert {message.role for message in read(tail, 2)} == {"commentary", "positions"}
        assert tail.state.ok
        publisher.close()
        tail.close()

    def polled(self, tail: Tail) -> str:
        tail.poll(1, 0.01)
        return tail.state.text

    def test_acknowledgements_come_once_for_each_record(self, publisher: Publisher) -> None:
        answers: list[Exception | None] = []
        for tick in range(200):
            publisher.send("positions", "r1", POSITION | {"tick": tick}, NOW_MS, answers.append)
        assert publisher.flush(20) == 0
        assert answers == [None] * 200
        assert publisher.state.ok
        assert publisher.waiting == 0

    def test_a_record_that_kafka_never_takes_ends_as_an_error(
        self, settings: StreamSettings, codec: Codec
    ) -> None:
        small = replace(settings, librdkafka={**settings.librdkafka, "message.max.bytes": "1000"})
        publisher, answers = Publisher(small, codec), list[Exception | None]()
        publisher.send(
            "commentary", None, VALUES["commentary"] | {"message": "x" * 2000}, NOW_MS, answers.append
        )
        publisher.send("commentary", None, VALUES["commentary"], NOW_MS, answers.append)
        assert publisher.flush(20) == 0
        assert isinstance(answers[0], DeliveryFailed)
        assert answers[1] is None
        publisher.close()

    def test_the_publisher_of_many_threads_loses_nothing(
        self, settings: StreamSettings, codec: Codec, publisher: Publisher
    ) -> None:
        threads = [
            threading.Thread(target=self.send_ticks, args=(publisher, range(200), f"race-{n}"))
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tail = Tail(settings, ["positions"])
        messages = read(tail, 800)
        tail.close()
        for n in range(4):
            own = [m for m in messages if m.key == f"race-{n}".encode()]
            assert [codec.decode("positions", m.value)["tick"] for m in own] == list(range(200))

    def test_a_record_is_seen_within_milliseconds(
        self, settings: StreamSettings, publisher: Publisher
    ) -> None:
        """The median; on an idle machine it is 4 ms on the embedded cluster, 3 ms on Apache Kafka."""
        tail = Tail(settings, ["positions"], start="end")
        settle(tail)
        took: list[float] = []
        for tick in range(30):
            start = time.perf_counter()
            publisher.send("positions", "r1", POSITION | {"tick": tick}, NOW_MS)
            eventually("the record arrives", lambda: bool(tail.poll(10, 0.2)))
            took.append(time.perf_counter() - start)
        tail.close()
        assert sorted(took)[len(took) // 2] < 0.1

    def test_new_partitions_are_noticed(self, settings: StreamSettings) -> None:
        clock = FastClock()
        tail = Tail(settings, ["positions"], start="end", clock=clock)
        settle(tail)
        topic, count = settings.topic("positions"), TOPICS["positions"].partitions
        admin = AdminClient({**QUIET, **settings.librdkafka})
        admin.create_partitions([NewPartitions(topic, count + 1)], request_timeout=2)[topic].result(5)
        clock.skip(60)
        producer = raw_producer(settings)
        eventually(
            "Kafka shows the partition",
            lambda: len(producer.list_topics(topic).topics[topic].partitions) > count,
        )
        producer.produce(topic, b"new", b"key", count)
        producer.flush(10)
        assert [message.partition for message in read(tail, 1)] == [count]
        tail.close()

    def test_topics_are_kept_as_long_as_the_list_of_topics_says(self, settings: StreamSettings) -> None:
        admin = AdminClient({**QUIET, **settings.librdkafka})
        resource = ConfigResource("topic", settings.topic("positions"))
        config = admin.describe_configs([resource], request_timeout=3)[resource].result(5)
        assert int(config["retention.ms"].value) == TOPICS["positions"].retention_ms
        times = config["message.timestamp.type"]  # said, since a broker may have another default
        assert (times.value, times.is_default) == ("CreateTime", False)

    def test_no_topic_is_missing_once_they_are_made(self, settings: StreamSettings) -> None:
        assert missing_topics(settings) == []
        marks = Producer({**QUIET, **settings.librdkafka}).list_topics(settings.topic("positions"))
        assert len(marks.topics[settings.topic("positions")].partitions) == TOPICS["positions"].partitions

    def test_committed_readers_see_no_aborted_records(self, settings: StreamSettings) -> None:
        """Nothing here needs it; it says which of the two brokers can be trusted with transactions."""
        from confluent_kafka import Consumer

        producer = raw_producer(settings, **{"transactional.id": uuid.uuid4().hex})
        producer.init_transactions(20)
        for finish in (producer.abort_transaction, producer.commit_transaction):
            producer.begin_transaction()
            producer.produce(settings.topic("avg_speed"), finish.__name__.encode(), b"key", 0)
            producer.flush(10)
            finish(20)
        options = {"group.id": "g", "isolation.level": "read_committed", **QUIET, **settings.librdkafka}
        consumer = Consumer(options)
        consumer.assign([TopicPartition(settings.topic("avg_speed"), 0, 0)])
        first = consumer.poll(10)
        consumer.close()
        assert first is not None
        assert first.value() == b"commit_transaction"


class AskingTail(Tail):
    """Notes the partitions whose marks it asks Kafka for: each is a question that records wait behind."""

    asked: list[tuple[str, int]] = []  # Tail has none of its own

    def marks(self, place: tuple[str, int]) -> tuple[int, int]:
        self.asked = [*self.asked, place]
        return super().marks(place)


class FastClock:
    """Monotonic time that a test may push forward."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead

    def skip(self, seconds: float) -> None:
        self._ahead += seconds
