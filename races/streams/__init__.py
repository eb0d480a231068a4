"""Kafka and Avro: topics and schemas, codec, registry, producer, consumer and the embedded broker."""
