"""The embedded Kafka's address for other programs: it stays the same over restarts of the lab."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from races.lab.addresses import is_loopback, local_address, room_addresses
from races.lab.preflight import CannotStart
from races.streams.embedded import EmbeddedKafka

log = logging.getLogger(__name__)


def open_kafka(kafka: EmbeddedKafka, host: str, port: int) -> str:
    """Lets other programs in, and returns the address for those of this machine. Port 0 is the port of last time, or
    another one where a program has taken that meanwhile. Raises CannotStart where a given port is taken.
    """
    file = Path(settings.VAR_DIR) / "kafka.port"
    before = 0
    with suppress(OSError, ValueError):
        before = int(file.read_text(encoding="ascii"))
    try:
        found = kafka.listen(host, port or (before if 0 < before < 65536 else 0))[1]
    except OSError as error:
        if port:
            why = f"Port {port} on {host} cannot be used for Kafka ({error.strerror})"
            raise CannotStart(f"{why}. Another one: --kafka {host}:{port + 1}") from None
        found = kafka.listen(host)[1]
        log.warning("Port %d is taken: the embedded Kafka has a new address, 127.0.0.1:%d", before, found)
    try:
        file.write_text(str(found), encoding="ascii")
    except OSError as error:
        log.warning("%s cannot be written (%s): Kafka's port will change", file, error.strerror)
    return local_address(host, found).removeprefix("http://")


def kafka_room(host: str, bootstrap: str) -> list[str]:
    """Returns addresses for Kafka clients on other machines, the likeliest first; none where only this machine gets
    in.
    """
    port = int(bootstrap.rpartition(":")[2])
    found = [] if is_loopback(host) else room_addresses(host, port)
    return [address.removeprefix("http://") for address in found]
