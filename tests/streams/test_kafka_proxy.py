"""The proxy before the embedded Kafka: what the project relies on goes through it, and nothing that would end it."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from hypothesis import strategies as st

from races.streams.config import StreamSettings, embedded_settings
from races.streams.consumer import Tail
from races.streams.embedded import EmbeddedKafka
from races.streams.logs import QUIET
from races.streams.proxy import limits, server
from races.streams.proxy.batches import TOO_LARGE
from races.streams.proxy.requests import API_VERSIONS, FRAME_LIMIT, Refused, inspect
from tests.fakes import kafka_frames as frames
from tests.fakes.fuzzing import FEW, MANY, Counted, sweep
from tests.fakes.waiting import wait_for
from tests.streams.contract import StreamsContract
from tests.streams.reader_contract import ReaderContract
from tests.streams.records import read

TOPIC = "f1-driver-positions"
Logs = pytest.LogCaptureFixture


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka([TOPIC]) as kafka:
        yield kafka


@pytest.fixture
def port(kafka: EmbeddedKafka) -> int:
    return kafka.listen("127.0.0.1")[1]


class TestThroughTheProxy(ReaderContract, StreamsContract):
    @pytest.fixture
    def broker(self, embedded: EmbeddedKafka) -> StreamSettings:
        self.kafka = embedded
        return embedded_settings("{}:{}".format(*embedded.listen("127.0.0.1")))

    def make_topics(self, settings: StreamSettings) -> None:
        for name in settings.topics.values():
            self.kafka.create(name)

    @pytest.mark.xfail(strict=True, reason="the cluster behind it cannot add partitions")
    def test_new_partitions_are_noticed(self, settings: StreamSettings) -> None:
        super().test_new_partitions_are_noticed(settings)

    @pytest.mark.xfail(strict=True, reason="the cluster behind it describes no topic")
    def test_topics_are_kept_as_long_as_the_list_of_topics_says(self, settings: StreamSettings) -> None:
        super().test_topics_are_kept_as_long_as_the_list_of_topics_says(settings)

    @pytest.mark.xfail(strict=True, reason="the transactions of the cluster behind it isolate nothing")
    def test_committed_readers_see_no_aborted_records(self, settings: StreamSettings) -> None:
        super().test_committed_readers_see_no_aborted_records(settings)


def ask(port: int, *requests: bytes) -> bytes:
    """The answer to the last of the requests, without its length; empty where the connection was closed."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        for request in requests:
            connection.sendall(frames.framed(request))
            answer = answer_of(connection)
    return answer


def answer_of(connection: socket.socket) -> bytes:
    found = b""
    while len(found) < 4 or len(found) < 4 + int.from_bytes(found[:4], "big"):
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            return b""
        if not part:
            return b""
        found += part
    return found[4:]


@pytest.mark.parametrize("version", range(6))
def test_a_malformed_group_is_refused(kafka: EmbeddedKafka, port: int, version: int) -> None:
    """librdkafka allocates by the count as it comes, and a negative one ends its process."""
    assert ask(port, frames.join_group(version, count=-1)) == b""
    assert ask(port, frames.join_group(version)) != b""
    kafka.create("still-there")


@pytest.mark.parametrize("name", sorted(frames.BAD_BATCHES))
def test_a_bad_batch_stops_nobody(kafka: EmbeddedKafka, port: int, name: str) -> None:
    """A consumer of the cluster's own stands at such a batch for ever."""
    for batch in (frames.batch([b"one"]), frames.BAD_BATCHES[name], frames.batch([b"two"])):
        ask(port, frames.produce(TOPIC, batch))
    tail = Tail(embedded_settings(kafka.bootstrap), ["positions"])
    assert [message.value for message in read(tail, 2)] == [b"one", b"two"]
    tail.close()


def test_a_compressed_batch_is_read(kafka: EmbeddedKafka, port: int) -> None:
    answer = ask(port, frames.produce(TOPIC, frames.batch([b"one", b"two"], gzip.compress, 1)))
    assert frames.produce_error(answer, TOPIC) == 0
    tail = Tail(embedded_settings(kafka.bootstrap), ["positions"])
    assert [message.value for message in read(tail, 2)] == [b"one", b"two"]
    tail.close()


def test_a_producer_hears_of_its_compression(port: int) -> None:
    """The error that Kafka has for it, not a connection that closes again and again."""
    failed: list[KafkaError | None] = []
    producer = Producer({**QUIET, "bootstrap.servers": f"127.0.0.1:{port}", "compression.type": "lz4"})
    producer.produce(TOPIC, b"x" * 500, on_delivery=lambda error, _: failed.append(error))
    producer.flush(20)
    assert [error.name() for error in failed if error] == ["UNSUPPORTED_COMPRESSION_TYPE"]


def test_without_acknowledgement(kafka: EmbeddedKafka, port: int) -> None:
    """The cluster answers a request with acks=0, too; the client of the next request must not get that answer."""
    quiet, asking = frames.produce(TOPIC, frames.batch([b"one"]), acks=0), frames.metadata()
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        for request in (quiet, asking):
            connection.sendall(frames.framed(request))
        assert answer_of(connection)[:4] == asking[4:8]
    tail = Tail(embedded_settings(kafka.bootstrap), ["positions"])
    assert [message.value for message in read(tail, 1)] == [b"one"]
    tail.close()


def test_it_names_the_address_that_was_asked(kafka: EmbeddedKafka) -> None:
    """A card, a VPN or a name: the address at which a client came in is the one it can use."""
    port = kafka.listen("0.0.0.0")[1]
    for host in ("127.0.0.1", "127.0.0.2"):
        brokers = Consumer({**QUIET, "bootstrap.servers": f"{host}:{port}", "group.id": "g"}).list_topics()
        assert [(one.host, one.port) for one in brokers.brokers.values()] == [(host, port)]


def test_a_group_goes_on_where_it_was(port: int) -> None:
    """A consumer group, from joining to committed offsets, and another member that goes on from there."""
    address = f"127.0.0.1:{port}"
    producer = Producer({**QUIET, "bootstrap.servers": address, "enable.idempotence": True})
    for number in range(10):
        producer.produce(TOPIC, str(number), key=b"k")
    assert producer.flush(20) == 0
    found: list[bytes | None] = []
    for until in (5, 10):
        options = {"group.id": "class", "auto.offset.reset": "earliest", "enable.auto.commit": False}
        consumer = Consumer({**QUIET, "bootstrap.servers": address, **options})
        consumer.subscribe([TOPIC])
        while len(found) < until:
            found += [message.value() for message in consumer.consume(1, 5)]
        consumer.commit()
        consumer.close()
    assert found == [str(number).encode() for number in range(10)]


def consumer(port: int, **options: str) -> Consumer:
    made = Consumer({**QUIET, "bootstrap.servers": f"127.0.0.1:{port}", "group.id": "class", **options})
    made.subscribe([TOPIC])
    return made


def test_members_share_the_partitions(port: int) -> None:
    """Two members have half of the topic each; the one that stays has all of it when the other leaves."""
    first, second = consumer(port), consumer(port)

    def owns(*sizes: int) -> bool:
        for member in (first, second)[: len(sizes)]:
            member.poll(0.1)
        return tuple(len(member.assignment()) for member in (first, second)[: len(sizes)]) == sizes

    wait_for(lambda: owns(2, 2), "each has half of the partitions", 60)
    second.close()
    wait_for(lambda: owns(4), "who stays has all of them", 60)
    first.close()


def test_a_silent_member_is_dropped(port: int) -> None:
    """Its partitions go to who is left after the time that it named itself."""
    member = frames.join_group(session_ms=1500)
    with socket.create_connection(("127.0.0.1", port), 10) as silent:
        silent.sendall(frames.framed(member))
        other = consumer(port, **{"group.id": "group", "partition.assignment.strategy": "range"})
        wait_for(
            lambda: other.poll(0.1) is not None or len(other.assignment()) == 4, "the other has all of it", 60
        )
        other.close()


def test_another_assignor_is_said(kafka: EmbeddedKafka, port: int) -> None:
    """The mock cluster would assert that members agree; a member that fits nobody gets Kafka's error."""
    first = consumer(port, **{"partition.assignment.strategy": "range"})
    wait_for(
        lambda: first.poll(0.1) is not None or len(first.assignment()) == 4, "the first has all of it", 60
    )
    second = consumer(port, **{"partition.assignment.strategy": "cooperative-sticky"})
    heard: list[str] = []

    def refused() -> bool:
        message = second.poll(0.1)
        error = message.error() if message is not None else None
        heard.extend([error.name()] if error is not None else [])
        return "INCONSISTENT_GROUP_PROTOCOL" in heard

    wait_for(refused, "the second is told", 60)
    kafka.create("still-there")
    second.close()
    first.close()


def test_another_start_keeps_the_address() -> None:
    """A consumer goes on at the same address when the lab was started again."""
    with EmbeddedKafka([TOPIC]) as before:
        host, port = before.listen("127.0.0.1")
        tail = Tail(embedded_settings(f"{host}:{port}"), ["positions"])
        assert tail.poll(1, 5) == []
    with EmbeddedKafka([TOPIC]) as after:
        assert after.listen(host, port) == (host, port)
        producer = Producer({**QUIET, "bootstrap.servers": after.bootstrap})
        producer.produce(TOPIC, b"after")
        producer.flush(10)
        assert [message.value for message in read(tail, 1)] == [b"after"]
        tail.close()


def test_http_is_refused_with_a_line(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer_of(connection) == b""
    assert "nothing but Kafka's protocol" in caplog.text


def test_topics_are_bounded(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.MOST, "topics", 3)
    assert ask(port, frames.metadata("a", "b", "c"))
    assert ask(port, frames.metadata("d")) == b""
    assert ask(port, frames.metadata("d", create=False))


def test_groups_and_producers_are_bounded(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster keeps each of them as long as it lives, and looks through all of them at every request."""
    monkeypatch.setattr(limits, "MOST", {"topics": 9, "groups": 1, "producers": 1})
    for one, another in ((frames.commit(TOPIC), frames.commit(TOPIC, group="b")), [frames.producer()] * 2):
        assert ask(port, one)
        assert ask(port, another) == b""


@pytest.mark.parametrize("sent", [b"", b"\0\0", b"\0\0\1\0half a request"])
def test_who_says_nothing_is_closed(port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else three hundred of them would keep everybody else out."""
    for name in ("FIRST_S", "BODY_S"):
        monkeypatch.setattr(server, name, 0.1)
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(sent)
        assert answer_of(connection) == b""


def test_an_idle_client_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later than one that never said anything; clients come back by themselves."""
    monkeypatch.setattr(server, "IDLE_S", 0.1)
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(frames.framed(frames.metadata()))
        assert answer_of(connection)
        assert answer_of(connection) == b""


def test_half_of_many_large_requests(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their memory is bounded, and small requests need not wait for them."""
    monkeypatch.setattr(server, "LARGE", 1)
    with ExitStack() as opened:
        for _ in range(20):
            half = opened.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            half.sendall(struct.pack(">i", FRAME_LIMIT) + b"x" * 100)
        assert ask(port, frames.metadata())


def test_many_connections(port: int, monkeypatch: pytest.MonkeyPatch, caplog: Logs) -> None:
    """One too many is closed at once, those that are there go on, and there is room again when they leave."""
    monkeypatch.setattr(server, "CONNECTIONS", 3)
    with ExitStack() as opened:
        first, *others = (
            opened.enter_context(socket.create_connection(("127.0.0.1", port), 30)) for _ in range(40)
        )
        assert all(answer_of(one) == b"" for one in others[2:])
        first.sendall(frames.framed(frames.metadata()))
        assert answer_of(first)
    assert "a connection from 127.0.0.1: all 3 that clients may have are open" in caplog.text
    wait_for(lambda: ask(port, frames.metadata()) != b"", "there is room again", 30)


def test_bytes_that_unpack_to_very_many(port: int) -> None:
    """A small request of a thousand batches that are mostly nothing, or of more records than one would send."""
    bomb = frames.batch([b"\0" * 4_000_000], gzip.compress, 1)
    many = frames.batch([b""] * 40_000, gzip.compress, 1)
    for answer in (ask(port, frames.produce(TOPIC, *[bomb] * 100)), ask(port, frames.produce(TOPIC, many))):
        assert frames.produce_error(answer, TOPIC) == TOO_LARGE


def test_a_share_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that comes while it is used up waits until it is free again."""
    now, slept = [100.0], list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    async def scene() -> None:
        share = limits.Share(SimpleNamespace(time=lambda: now[0]))  # type: ignore[arg-type]  # a loop's clock
        await share.turn()
        share.spend(2.0)
        await share.turn()

    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(scene())
    assert sum(slept) == pytest.approx(2.0 / limits.SHARE, abs=limits.BURST_S)


@pytest.mark.parametrize("protocols", [21, 3])
def test_a_member_says_little_about_itself(kafka: EmbeddedKafka, port: int, protocols: int) -> None:
    about = b"x" * 30_000 if protocols == 3 else b""
    assert ask(port, frames.join_group(repeat=protocols, about=about)) == b""
    kafka.create("still-there")


def test_a_slow_client_is_bounded(kafka: EmbeddedKafka, port: int) -> None:
    """A client that asks without reading holds up its own connection, and nobody else's."""
    ask(port, *(frames.produce(TOPIC, frames.batch([b"x" * 900_000])) for _ in range(3)))
    fetch = frames.fetch(TOPIC)
    with socket.create_connection(("127.0.0.1", port), 10) as stuck:
        for _ in range(50):
            stuck.sendall(frames.framed(fetch))
        assert ask(port, frames.metadata())


def test_a_taken_address_is_an_error(kafka: EmbeddedKafka, port: int) -> None:
    with pytest.raises(OSError, match="in use"):
        kafka.listen("127.0.0.1", port)


def test_it_ends_with_its_kafka() -> None:
    with EmbeddedKafka([TOPIC]) as kafka:
        port = kafka.listen("127.0.0.1")[1]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


@pytest.mark.parametrize("frame", frames.true_requests(TOPIC), ids=lambda frame: f"{frame[1]}v{frame[3]}")
def test_true_requests_pass(frame: bytes) -> None:
    """Every kind in every version that is offered, to its last byte; with a byte less or more it is refused."""
    inspect(frame)
    if frame[1] != API_VERSIONS:
        for broken in (frame[:-1], frame + b"x"):
            with pytest.raises(Refused):
                inspect(broken)


@st.composite
def hostile_frames(draw: st.DrawFn) -> tuple[bytes, bool]:
    """A true request with bytes replaced, put in or taken out, often numbers that mean much; and whether it differs."""
    true = draw(st.sampled_from(frames.true_requests(TOPIC)))
    found = bytearray(true)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(2, len(found)))
        numbers = st.sampled_from([b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 4, b"\x80\0\0\0", b"\xff\xff"])
        piece = draw(numbers | st.binary(max_size=6))
        found[at : at + draw(st.sampled_from([0, len(piece), len(piece)]))] = piece
    return bytes(found), found != true


def sweep_frames(counted: Counted, kafka: EmbeddedKafka, port: int, count: int) -> None:
    def check(case: tuple[bytes, bool]) -> int:
        frame, differs = case
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(frames.framed(frame))
            connection.shutdown(socket.SHUT_WR)
        return int(differs)

    sweep(counted, "hostile Kafka requests", count, hostile_frames(), check, 0.9)
    assert ask(port, frames.metadata(TOPIC))[:4] == frames.metadata(TOPIC)[4:8]
    kafka.create("still-there")


def test_hostile_requests_end_nothing(counted: Counted, kafka: EmbeddedKafka, port: int) -> None:
    sweep_frames(counted, kafka, port, FEW)


@pytest.mark.full
@pytest.mark.timeout(600)
def test_many_hostile_requests_end_nothing(counted: Counted, kafka: EmbeddedKafka, port: int) -> None:
    sweep_frames(counted, kafka, port, MANY)
