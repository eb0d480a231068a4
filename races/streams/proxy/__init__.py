"""A Kafka proxy before the embedded broker: it checks every request and shows an address that others can reach."""
