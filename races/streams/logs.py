"""librdkafka writes to stderr, some twenty lines a second while a broker is away. It goes to one logger
instead.
"""

from __future__ import annotations

import logging

librdkafka_log = logging.getLogger("races.streams.librdkafka")
librdkafka_log.addHandler(logging.NullHandler())
librdkafka_log.setLevel(logging.CRITICAL)  # its news come as states; set to INFO to watch it

QUIET: dict[str, str | int | bool] = {"log_level": 2, "log.connection.close": False}
