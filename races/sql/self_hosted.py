"""The workspace on a self-hosted Flink: its SQL gateway for statements, its job manager for slots and jobs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from races.flink.cluster import Cluster, ClusterAway
from races.flink.dialect import DETECTOR
from races.flink.gateway import (
    Change,
    Gateway,
    GatewayAway,
    GatewayError,
    Operation,
    Page,
    Session,
    SessionExpired,
    StatementRefused,
)
from races.flink.tables import Place, create_tables, options_sql, quoted
from races.sql.own_tables import completed
from races.sql.service import About, Start, Watched
from races.sql.statements import WORDS, kind, words
from races.streams.topics import TOPICS

FREE_OF_CHARGE = "It runs on your own machines and costs nothing more."
NAMED = "SQL workspace"
SESSION = {
    "table.exec.sink.require-on-conflict": "false",  # Flink 2.3 asks for an ON CONFLICT clause that the cloud has not
    "table.exec.source.idle-timeout": "10 s",  # with less, what a slow start reads late would be thrown away
    "table.local-time-zone": "UTC",
}


class SelfHosted:
    """mark: the lab's own, in the names of its jobs. make_topic: makes the topic of a person's own table. public:
    Flink's words without the lab's secrets."""

    def __init__(
        self,
        gateway: Gateway,
        cluster: Cluster,
        place: Place,
        topics: Mapping[str, str],
        mark: str,
        make_topic: Callable[[str], None],
        public: Callable[[str], str] = str,
    ) -> None:
        self.gateway, self.cluster, self.place, self.topics = gateway, cluster, place, topics
        self.mark, self.make_topic, self.public = f"{NAMED} {mark}:", make_topic, public
        self.own = frozenset({*topics, *topics.values()})

    def about(self) -> About:
        title, trouble, free, total = "Apache Flink", "", None, None
        try:
            title = f"Apache Flink {self.gateway.version()}"
            slots = self.cluster.slots()
            free, total = slots.free, slots.total
            trouble = "" if slots.task_managers else "Flink has no task manager: nothing can run."
        except (GatewayError, ClusterAway) as error:
            trouble = str(error)
        return About(title, self.gateway.url, FREE_OF_CHARGE, self.cluster.url, free, total, trouble)

    def open(self, person: str) -> OwnSession:
        return OwnSession(self, person)

    def end_leftovers(self) -> int:
        left = [job for job in self.cluster.jobs() if job.name.startswith(self.mark) and not job.ended]
        for job in left:
            self.cluster.cancel(job.id)
        return len(left)


class OwnSession:
    """A session of the gateway with the lab's tables, by topic and by role. After Flink's restart it is made anew,
    with the tables and settings that the person has made."""

    def __init__(self, service: SelfHosted, person: str) -> None:
        self._service, self._person = service, person
        self._made: list[str] = []
        self._start = Start()
        self._session = self._open()

    def start(self, sql: str, start: Start) -> OwnStatement:
        table = completed(sql, self._service.place)
        try:
            self._read_from(start)
            operation = self._submit(table.sql, table.topic, sql)
        except SessionExpired:
            self._session = self._open()
            self._read_from(start)
            operation = self._submit(table.sql, table.topic, sql)
        changing = ("CREATE", "ALTER", "DROP", "SET", "RESET")
        changes_session = kind(sql) == WORDS and words(sql, 1)[0] in changing
        done = self._made.append if changes_session else None
        return OwnStatement(self._service, operation, done, table.sql, sql)

    def keep(self) -> None:
        with suppress(SessionExpired):  # the next statement opens another
            self._session.heartbeat()

    def close(self) -> None:
        self._session.close()

    def _open(self) -> Session:
        session = self._service.gateway.open(f"{NAMED} of {self._person}", SESSION)
        start = self._start.options()
        for sql in create_tables(self._service.topics, self._service.place, start):
            session.run(sql)
        for role, topic in self._service.topics.items():
            if role != topic:
                session.run(f"CREATE VIEW IF NOT EXISTS {quoted(role)} AS TABLE {quoted(topic)}")
        for sql in (DETECTOR, *self._made):
            with suppress(StatementRefused):
                session.run(sql)
        return session

    def _read_from(self, start: Start) -> None:
        """Sets where the lab's tables are read from, for the statements to come."""
        if start == self._start:
            return
        for role, topic in self._service.topics.items():
            if TOPICS[role].key_format != "avro":  # upsert tables are read from their beginning
                self._session.run(f"ALTER TABLE {quoted(topic)} SET ({options_sql(start.options())})")
        self._start = start

    def _submit(self, sql: str, topic: str, shown: str) -> Operation:
        if topic:
            self._service.make_topic(topic)
        name = re.sub(r"\s+", " ", f"{self._service.mark} {shown[:80]}")
        # a statement that fails says why, instead of trying for ever
        return self._session.start(sql, {"restart-strategy.type": "none", "pipeline.name": name})


class OwnStatement:
    """One operation of the gateway, and the job that it began."""

    def __init__(
        self,
        service: SelfHosted,
        operation: Operation,
        done: Callable[[str], None] | None,
        sql: str,
        shown: str,
    ) -> None:
        self._service, self._operation, self._done = service, operation, done
        self._sql, self._shown = sql, shown
        self._job = ""

    def fetch(self) -> Page:
        try:
            page = self._operation.fetch()
        except StatementRefused as error:
            words = self._service.public(str(error))
            if self._sql != self._shown:  # the place is one in what the workspace has made of it
                raise StatementRefused(words) from None
            raise StatementRefused(
                words, error.line, error.column, error.end_line, error.end_column
            ) from None
        self._job = page.job or self._job
        if page.ready and self._done is not None:
            self._done(self._sql)
            self._done = None
        if page.is_query:
            return page
        # SHOW CREATE TABLE would show the login of a configured Kafka
        public = self._service.public
        changes = tuple(
            Change(
                one.kind, tuple(public(value) if isinstance(value, str) else value for value in one.fields)
            )
            for one in page.changes
        )
        return Page(page.ready, page.done, page.columns, changes, page.job, page.is_query)

    def watch(self) -> Watched:
        try:
            found = next((job for job in self._service.cluster.jobs() if job.id == self._job), None)
            if found is None or not found.ended:
                return Watched(found is None)
            if found.state != "FAILED":
                return Watched(True)
            cause = self._service.cluster.root_cause(self._job)
            return Watched(True, self._service.public(cause) or "Flink gave no reason.")
        except ClusterAway as error:
            raise GatewayAway(str(error)) from None

    def stop(self) -> None:
        with suppress(GatewayError):
            self._operation.close()
        if self._job:
            with suppress(ClusterAway):
                self._service.cluster.cancel(self._job)
