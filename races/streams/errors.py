"""What can go wrong between a record and its topic, and what the caller may do about it.

StreamError
├── BadRecord            this record is unreadable (or unwritable) and stays so: count it, log it once, go on
│   ├── Tombstone        no value: the key's newest state was deleted
│   └── UnknownSchema    the registry has no such schema id; asked again only after a back-off
├── RegistryUnavailable  the registry doesn't answer: wait and try the same record again
├── RegistryRefused      the registry answered no (incompatible, unauthorised): a person must act
├── BrokerUnavailable    Kafka doesn't answer: wait
├── TopicsMissing        topics are missing that we may not create: a person must act
├── DeliveryFailed       Kafka refused this one record for good
└── Closed               the producer or consumer was closed meanwhile
"""

from __future__ import annotations


class StreamError(Exception):
    """Anything this package raises on purpose."""


class BadRecord(StreamError):
    pass


class Tombstone(BadRecord):
    pass


class UnknownSchema(BadRecord):
    pass


class RegistryUnavailable(StreamError):
    pass


class RegistryRefused(StreamError):
    pass


class BrokerUnavailable(StreamError):
    pass


class TopicsMissing(StreamError):
    pass


class DeliveryFailed(StreamError):
    pass


class Closed(StreamError):
    pass
