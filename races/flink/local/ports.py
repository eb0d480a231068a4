"""Ports of this machine's loopback."""

from __future__ import annotations

import socket
import sys

from races.flink.local.errors import CannotRun


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def must_be_free(port: int, whose: str, option: str) -> None:
    """Raises CannotRun where somebody else listens there."""
    with socket.socket() as probe:
        if sys.platform != "win32":  # there it would let us have a port that somebody listens on
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            words = f"Port {port}, {whose}, cannot be used ({error.strerror})."
            another = f"make flink {option}={port + 1000}"
            raise CannotRun(f"{words} End what listens there, or: {another}") from None
