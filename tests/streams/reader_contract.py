"""What looking inside relies on from a Kafka: part of the suite that runs on the embedded cluster and on a real one."""

from __future__ import annotations

from races.streams.codec import Codec
from races.streams.config import StreamSettings
from races.streams.producer import Publisher
from races.streams.record_reader import RecordReader
from tests.streams.records import NOW_MS, POSITION


class ReaderContract:
    def test_a_record_is_read_by_its_place(
        self, settings: StreamSettings, codec: Codec, publisher: Publisher
    ) -> None:
        """By partition and offset, and by its time; what is not there is no record."""
        for tick in range(30):
            publisher.send("positions", "r1", POSITION | {"tick": tick, "race_id": "r1"}, NOW_MS + tick)
        assert publisher.flush(20) == 0
        reader = RecordReader(settings)
        found = reader.between("positions", NOW_MS + 7, NOW_MS + 9, lambda message: message.key == b"r1")
        assert [codec.decode("positions", one.message.value)["tick"] for one in found] == [7, 8, 9]
        for one in found:
            again = reader.at("positions", one.message.partition, one.message.offset)
            assert again is not None and again.message == one.message
        assert reader.between("positions", NOW_MS + 7, NOW_MS + 9, lambda message: False) == []
        assert reader.at("positions", found[0].message.partition, 10**6) is None
        assert reader.at("positions", 10**6, 0) is None
        newest = [one.message.timestamp_ms for one in reader.newest("positions", 3)]
        assert newest == [NOW_MS + tick for tick in (27, 28, 29)]
