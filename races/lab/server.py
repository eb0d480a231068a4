"""The lab's web server: Daphne in the main thread, and how a signal ends it within a time limit."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connections

from races.lab.runtime import Lab
from races.live.servers.daphne import take_signals
from races.live.servers.frames import LONGEST
from races.live.service import service

STOP_WITHIN_S = 1.8
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
Result = TypeVar("Result")


def interruptibly(work: Callable[[], Result]) -> Result:
    """Runs the work in a thread. Python handles a signal in the main thread only, between two steps of it; a wait there
    for the network or for a database lock would delay it.
    """

    def run() -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def take_early_signals(lab: Lab) -> None:
    """Handles SIGINT and SIGTERM until the server does: what has started by then is stopped, and the process ends."""

    def on_signal(number: int, frame: Any) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        exit_within_limit(lab.deaths)
        lab.stop()
        os._exit(1 if lab.deaths else 0)

    for each in STOP_SIGNALS:
        signal.signal(each, on_signal)


def end_with_input() -> None:
    """Ends the lab with the pipe that its supervisor holds."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="tied", daemon=True).start()


def serve(host: str, port: int, application: Any, banner: Callable[[], None], lab: Lab) -> None:
    """Runs Daphne in this thread until a signal. Every page's socket is then closed with code 1012."""
    from daphne.server import Server
    from twisted.internet import reactor as installed

    def ending() -> None:
        exit_within_limit(lab.deaths)
        threading.Thread(target=lab.stop, name="stop", daemon=True).start()

    def ready() -> None:
        take_signals(service().close, ending)
        service().ensure_started()
        banner()

    reactor: Any = installed  # which one it is, and so its type, is decided at run time
    interface = host.replace(":", r"\:")
    Server(
        application,
        endpoints=[f"tcp:port={port}:interface={interface}:backlog=1024"],  # a room scans a code at once
        signal_handlers=False,
        websocket_timeout=-1,
        websocket_max_message_size=LONGEST,
        websocket_max_frame_size=LONGEST,
        ping_interval=25,
        ready_callable=lambda: reactor.callLater(0, ready),  # Daphne calls before its loop runs
        server_name="f1-lab",
    ).run()


def exit_within_limit(deaths: Sequence[str]) -> None:
    """Ends the process soon, whatever still hangs. What is lost then comes back from Kafka and the leases. The exit
    status is 1 where a component died, so that it does not look like an ordinary end.
    """

    def end() -> None:
        time.sleep(STOP_WITHIN_S)
        os._exit(1 if deaths else 0)

    threading.Thread(target=end, name="deadline", daemon=True).start()
