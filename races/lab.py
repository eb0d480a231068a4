"""The whole lab in one process: web, worker, analytics and recorder, with its own Kafka unless one is configured."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from races import connection
from races.recorder.lease import break_lease
from races.roles import Roles, make_roles
from races.streams.admin import ensure_topics, missing_topics
from races.streams.config import StreamSettings, embedded_settings
from races.streams.embedded import EmbeddedKafka
from races.streams.errors import BrokerUnavailable
from races.streams.registry import Registry
from races.worker import store

STOP_WITHIN_S = 1.8
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
KAFKA_AT_ONCE_S = 2.0
SWITCH_S = 0.002
Result = TypeVar("Result")


class CannotStart(Exception):
    """One line for the person."""


@dataclass(slots=True)
class Lab:
    """What runs beside the web server. lock: an embedded Kafka and its database belong to one process. deaths: parts
    that ended by themselves, and with them the lab."""

    roles: Roles | None = None
    kafka: EmbeddedKafka | None = None
    lock: IO[str] | None = None
    deaths: list[str] = field(default_factory=list)
    _stopping: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    def start(
        self, address: str, on_death: Callable[[str], None], say: Callable[[str], None]
    ) -> connection.Connection:
        # Worker, analytics, feed and recorder share one interpreter: short turns keep each tick on time.
        sys.setswitchinterval(SWITCH_S)
        if settings.LAB.kafka is None:
            self._embed(address)
        current = connection.current()
        if not current.settings.embedded:
            reach_kafka(current.settings, say)
        with self._stopping:
            if not self._ended:
                self.roles = make_roles(current)
                self.roles.start(on_death)
        return current

    def _embed(self, address: str) -> None:
        self.lock = only_lab(settings.VAR_DIR / "lab.lock")
        topics = settings.LAB.topics
        self.kafka = EmbeddedKafka(topics.values())
        kafka = embedded_settings(self.kafka.bootstrap, topics, f"{address}/registry/")
        connection.use(connection.connect(kafka, Registry(settings.REGISTRY_PATH)))
        store.release_all()
        break_lease()

    def stop(self) -> None:
        """Once, whoever calls first; the second caller waits for the first."""
        with self._stopping:
            self._ended = True
            roles, self.roles = self.roles, None
            if roles is not None:
                roles.stop()
            if self.kafka is not None:
                self.kafka.close()


def reach_kafka(kafka: StreamSettings, say: Callable[[str], None]) -> None:
    """The topics stand. A Kafka that is only starting is waited for, with a word. Raises CannotStart, StreamError."""
    try:
        missing_topics(kafka, KAFKA_AT_ONCE_S)
    except BrokerUnavailable:
        say(f"Waiting for Kafka at {kafka.bootstrap} …")
    try:
        ensure_topics(kafka)
    except BrokerUnavailable as error:
        raise CannotStart(
            f"{error}. Start it, or correct the kafka: section of {settings.LAB.path}, then start the lab again."
        ) from None


def interruptibly(work: Callable[[], Result]) -> Result:
    """In a thread, for a signal is taken between two steps of the main thread only: a wait for the network or for a
    lock of the database would hold it up."""

    def run() -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def take_early_signals(lab: Lab) -> None:
    """SIGINT and SIGTERM until the server takes them: what has started by then is stopped, and that was all."""

    def on_signal(number: int, frame: Any) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        exit_within_limit(lab.deaths)
        lab.stop()
        os._exit(1 if lab.deaths else 0)

    for each in STOP_SIGNALS:
        signal.signal(each, on_signal)


def only_lab(path: Path) -> IO[str]:
    """Holds a lock for as long as the file is open. Raises CannotStart."""
    file = path.open("w")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise CannotStart(
            "Another lab runs on this database already. Stop it first, or give this one a folder of its own "
            "with F1_VAR_DIR."
        ) from None
    return file


def check_port(host: str, port: int) -> None:
    """Raises CannotStart where somebody else listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":  # there it would let us have a port that somebody listens on
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            another = port + 100 if port < 65_000 else port - 100
            hint = f" Is a lab running there already? Another port: make run PORT={another}" if taken else ""
            raise CannotStart(f"Port {port} on {host} cannot be used ({error.strerror}).{hint}") from None


def check_migrations() -> None:
    """Raises CannotStart."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CannotStart(
            "The database is not ready: run  python manage.py migrate  first (make run does it)."
        )


def own_addresses() -> list[str]:
    """This machine's names and addresses, for ALLOWED_HOSTS of a lab that a room looks at."""
    names = {socket.gethostname(), socket.getfqdn()}
    for name in list(names):
        try:
            names |= {str(info[4][0]) for info in socket.getaddrinfo(name, None, socket.AF_INET)}
        except OSError:
            continue
    return sorted(names | set(_outward()))


def _outward() -> list[str]:
    """The address that this machine has towards other networks, where there are any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: no packet is sent, only a route chosen
            return [str(probe.getsockname()[0])]
        except OSError:
            return []


def room_addresses(port: int) -> list[str]:
    """Where other machines find a lab that listens on all of this one's: the likeliest first."""
    numeric = [name for name in own_addresses() if name[0].isdigit()]
    found = dict.fromkeys([*_outward(), *numeric])  # a set with an order
    return [f"http://{name}:{port}" for name in found if not name.startswith("127.")]


def serve(host: str, port: int, application: Any, banner: Callable[[], None], lab: Lab) -> None:
    """Daphne in this thread until a signal; every page is told with code 1012 that the server goes."""
    from daphne.server import Server
    from twisted.internet import reactor as installed

    from races.live.service import service
    from races.live.shutdown import take_signals

    def ending() -> None:
        exit_within_limit(lab.deaths)
        threading.Thread(target=lab.stop, name="stop", daemon=True).start()

    def ready() -> None:
        take_signals(ending)
        service().ensure_started()
        banner()

    reactor: Any = installed  # which one it is, and so its type, is decided at run time
    interface = host.replace(":", r"\:")
    Server(
        application,
        endpoints=[f"tcp:port={port}:interface={interface}:backlog=1024"],  # a room scans a code at once
        signal_handlers=False,
        websocket_timeout=-1,
        ping_interval=25,
        ready_callable=lambda: reactor.callLater(0, ready),  # Daphne calls before its loop runs
        server_name="f1-lab",
    ).run()


def exit_within_limit(deaths: Sequence[str]) -> None:
    """Ctrl-C ends it, whatever still hangs; what is lost then comes back from Kafka and the leases. Whoever watches
    the process must not take a part's death for such an end.
    """

    def end() -> None:
        time.sleep(STOP_WITHIN_S)
        os._exit(1 if deaths else 0)

    threading.Thread(target=end, name="deadline", daemon=True).start()
