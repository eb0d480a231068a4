"""One web process's live part: hub, feed and the task that looks after slow and silent clients.

Daphne and Channels have no start-up event, so it starts with the first connection (f1site.asgi wraps the
application) and is supervised: a feed that dies is started again with a growing pause, and /healthz says so.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections

from races.board.frames import Frame
from races.board.race_info import RaceInfo
from races.flink.cluster import Cluster
from races.flink.dialect import job_names, lab_mark, wanted_groups
from races.flink.engine_status import EngineWatch
from races.flink.gateway import Gateway
from races.lib.memory import GarbageCollection
from races.lib.metrics import PAGE_DELAY
from races.lib.tracing import tracer
from races.live.feed import Feed
from races.live.hub import Hub, Socket
from races.live.rendering.header import RaceStatus
from races.live.rendering.panels import Pipeline, Stream
from races.live.rendering.screen import screen_of
from races.live.watched_race import Page
from races.models import Race
from races.recorder.reader import live_board, race_of
from races.streams import connection
from races.streams.lag import LagLog
from races.streams.topics import ROLES

log = logging.getLogger(__name__)

SILENT_S, LAGGING_EVERY_S, GIVEN_UP_S = 15.0, 5.0, 60.0
ENGINE_TIMEOUT_S = (1.0, 2.0)
FORGET_S = 20.0  # a race stays on its board this long after the last spectator left: reloads are cheap
FOOTER_S = 1.0  # ages are computed anew
FRESH_S = 0.2  # a page that is asked for has ages no older than a tick
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
SILENT, GOING_AWAY = 4408, 1012


class LiveService:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.feed = Feed(self._cross)
        self.hub = Hub(self.feed.snapshot)
        self.feed_error = ""
        self.restarts = 0
        self._clock = clock
        self._engine = engine_watch()
        self._garbage = GarbageCollection(clock)
        self._lag_log = LagLog("the page", log)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._left: dict[str, float] = {}
        self._shown: Pipeline | None = None
        self._shown_at = 0.0
        self._opening: dict[str, asyncio.Task[bool]] = {}
        self._waiting: dict[str, list[tuple[int, str, int | None]]] = {}
        self._crossing = threading.Lock()
        self._telling = ThreadPoolExecutor(1, "footers")
        self._care: list[asyncio.Task[None]] = []
        self._closing: set[asyncio.Future[None]] = set()

    def ensure_started(self) -> None:
        """Called in the event loop with every connection; works once a loop."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._loop, self._waiting = loop, {}
        self._garbage.start()
        tasks = self.look_after(), self._follow_statuses(), self.publish_throughput()
        self._care = [loop.create_task(task) for task in tasks]
        threading.Thread(target=self.supervise, name="feed", daemon=True).start()

    async def close(self) -> None:
        """Tells every page that the server goes, so that it comes back by itself."""
        self._stopping.set()
        self.feed.stop()
        await asyncio.gather(
            *(socket.close(GOING_AWAY, "the server restarts") for socket in self.hub.sockets()),
            return_exceptions=True,
        )
        for task in self._care:
            task.cancel()
        self._telling.shutdown(wait=False)

    async def open_race(self, race_id: str) -> bool:
        """Makes a board for the race's first spectators, once; False where there is no such race."""
        if self.feed.watched(race_id):
            return True
        opening = self._opening.get(race_id)
        if opening is None:
            opening = self._opening[race_id] = asyncio.ensure_future(
                sync_to_async(self._watch, thread_sensitive=False)(race_id)
            )
            opening.add_done_callback(lambda _: self._opening.pop(race_id, None))
        return await asyncio.shield(opening)

    def _watch(self, race_id: str) -> bool:
        """Runs in a thread: it reads the history, and may ask the schema registry."""
        close_old_connections()  # this thread belongs to no request, whose end would do it
        race = race_of(race_id)
        board = live_board(race) if race is not None else None
        if race is None or board is None:
            return False
        self.feed.watch(race_id, board, status_of(race), race.anomaly_detection)
        return True

    def frame(self, race_id: str) -> Frame | None:
        return self.feed.frame(race_id)

    def page(self, race: Race) -> Page:
        """The parts of the first page: it is whole before the socket sends anything, and without one."""
        now = self._clock()
        if self._shown is not None and now - self._shown_at > FRESH_S:
            self._shown_at = now
            self.feed.set_pipeline(replace(self._shown, behind_s=self.feed.lag().seconds), now)
        page = self.feed.page(str(race.pk))
        if page is not None:
            return page
        board = live_board(race)
        info = RaceInfo.from_json(race.frozen)
        frame = board.current() if board else None
        screen = screen_of(info, frame, status=status_of(race), anomaly_on=race.anomaly_detection)
        return Page(info, frame, screen.fragments())

    def newest(self, race_id: str) -> list[Mapping[str, Any]]:
        return self.feed.newest(race_id)

    def tasks(self) -> int:
        """Number of tasks on the event loop; a growing number is a leak."""
        return 0 if self._loop is None else len(asyncio.all_tasks(self._loop))

    def pipeline(self) -> Pipeline:
        """The stream as this process measures it, for the strip at the foot of its pages."""
        paces, lags = self.feed.throughput(self._clock()), self.feed.lags()
        streams = tuple(
            Stream(role, paces[role].rate if role in paces else 0.0, lags.get(role, 0)) for role in ROLES
        )
        state = self.feed.state
        text = state.text if state else "not reading"
        engine = self._engine.status() if self._engine is not None else None
        return Pipeline(streams, self.hub.count(), text, self.feed.lag().seconds, engine)

    def supervise(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = self._clock()
            try:
                self._run_feed()
            except Exception as error:
                self.feed_error = str(error)
                if not isinstance(error, connection.NoKafka):
                    self.feed_error = (
                        f"it stopped ({type(error).__name__}) and starts again; the log says why"
                    )
                    self.restarts += 1
                    log.exception("The feed stopped; it starts again in %.1f s", pause)
            pause = FIRST_PAUSE_S if self._clock() - began > 60 else min(pause * 2, LONGEST_PAUSE_S)
            self._stopping.wait(pause)

    def _run_feed(self) -> None:
        kafka = connection.current()
        self.feed_error = ""
        self.feed.run(kafka.tail(ROLES), kafka.codec)

    def _cross(self, race_id: str, number: int, message: str, tick: int | None) -> None:
        """Hands a message from the reading thread to the event loop, in order.

        Messages that come while the loop is behind go out as one: an overloaded server sends fewer of them, and stays
        one tick behind instead of falling back further and further.
        """
        if self._loop is None or self._loop.is_closed():
            return
        with self._crossing:
            waiting = self._waiting.setdefault(race_id, [])
            waiting.append((number, message, tick))
            first = len(waiting) == 1
        if first:
            self._loop.call_soon_threadsafe(self._deliver, race_id)

    def _deliver(self, race_id: str) -> None:
        with self._crossing:
            waiting = self._waiting.pop(race_id)
        messages = [(number, message) for number, message, _ in waiting]
        self.hub.publish(race_id, messages, self._clock())
        for _, _, tick in waiting:
            if tick is not None:
                tracer.record(race_id, tick, "delivered")
                if (seconds := tracer.between(race_id, tick, "read", "delivered")) is not None:
                    PAGE_DELAY.observe(seconds)

    async def look_after(self) -> None:
        while not self._stopping.is_set():
            await asyncio.sleep(1.0)
            try:
                now = self._clock()
                for race_id in self.hub.races():
                    for socket in self.hub.sockets(race_id):
                        self.check(race_id, socket, now)
                self.forget(now)
                self._garbage.run_due()
            except Exception:
                log.exception("Looking after the sockets failed once")

    async def publish_throughput(self) -> None:
        """A task and a thread of its own, since the threads that all share may all wait for a database that is away."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            await asyncio.sleep(FOOTER_S)
            try:
                await loop.run_in_executor(self._telling, self._show_pipeline)
            except Exception:
                log.exception("The footers could not be shown once")

    def _show_pipeline(self) -> None:
        self._lag_log.check(self.feed.lag())
        self._shown, self._shown_at = self.pipeline(), self._clock()
        self.feed.set_pipeline(self._shown, self._shown_at)

    async def _follow_statuses(self) -> None:
        """A task of its own, so that the care for sockets does not wait for a database that is away."""
        away = False
        while not self._stopping.is_set():
            await asyncio.sleep(1.0)
            try:
                await sync_to_async(self._refresh_statuses, thread_sensitive=False)()
                away = False
            except AnyDatabaseError as error:
                if not away:
                    log.warning("The races' states are not known just now: %s", error)
                away = True
            except Exception:
                log.exception("The races' states could not be shown once")

    def _refresh_statuses(self) -> None:
        """Shows what the database says of the races that are watched: queued, waiting, failed, finished."""
        close_old_connections()
        ids = self.feed.races()
        for race in Race.objects.filter(pk__in=ids).only("status", "status_reason", "waiting_for"):
            self.feed.set_status(str(race.pk), status_of(race))

    def check(self, race_id: str, socket: Socket, now: float) -> None:
        silent = now - socket.acked_at
        if silent > GIVEN_UP_S or socket.overfull:
            self._give_up(race_id, socket)
        elif silent > SILENT_S:
            socket.lagging = True
            if now - socket.last_sent_at >= LAGGING_EVERY_S and socket.show(self.feed.snapshot(race_id)):
                socket.last_sent_at = now
        elif socket.needs_snapshot and socket.pending is None:
            socket.show(self.feed.snapshot(race_id))

    def _give_up(self, race_id: str, socket: Socket) -> None:
        """Closes without waiting: a server may wait for the peer's close frame, and a silent peer sends none."""
        self.hub.leave(race_id, socket)
        closing = asyncio.ensure_future(socket.close(SILENT, ""))
        self._closing.add(closing)
        closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled():
            closing.exception()  # whatever it was, the page is gone

    def forget(self, now: float) -> None:
        """Drops races that nobody has watched for a while. The dropped ones are named, since a thread may just be
        adding another one."""
        left = self.feed.races() - set(self.hub.races())
        self._left = {race: self._left.get(race, now) for race in left}
        gone = {race for race, since in self._left.items() if now - since >= FORGET_S}
        self.feed.unwatch(gone)
        for race in gone:
            del self._left[race]


def engine_watch() -> EngineWatch | None:
    """None where the analytics are not on a Flink of one's own."""
    lab = settings.LAB
    if lab.engine != "flink" or lab.flink is None:
        return None
    mark = lab_mark(lab.flink.bootstrap or (lab.kafka.bootstrap if lab.kafka else ""), lab.topics)
    wanted = job_names(wanted_groups(lab.anomaly_detection, lab.commentator == "flink"), mark)
    return EngineWatch(Gateway(lab.flink.gateway_url), Cluster(lab.flink.rest_url, ENGINE_TIMEOUT_S), wanted)


def status_of(race: Race) -> RaceStatus:
    return RaceStatus(race.status, race.status_reason, race.waiting_for)


_service: LiveService | None = None


def service() -> LiveService:
    """Returns the live service of this process."""
    global _service
    if _service is None:
        _service = LiveService()
    return _service
