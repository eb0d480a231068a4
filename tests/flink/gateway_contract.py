"""What the lab needs of a SQL gateway. The same tests run against the fake one and against Flink's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from races.flink.gateway import Gateway, Page, Session, SessionExpired, StatementRefused
from tests.fakes.waiting import wait_for

TICKER = """CREATE TABLE ticker (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000000')"""
ONCE = {"restart-strategy.type": "none"}


def fetched(session: Session, sql: str, enough: Callable[[list[Page]], bool]) -> list[Page]:
    operation = session.start(sql, ONCE)
    pages: list[Page] = []

    def look() -> bool:
        pages.append(operation.fetch())
        return enough(pages)

    try:
        wait_for(look, sql, 60.0)
    finally:
        operation.close()
    return pages


def changes(pages: list[Page]) -> list[tuple[str, tuple[object, ...]]]:
    return [(change.kind, change.fields) for page in pages for change in page.changes]


class GatewayContract:
    @pytest.fixture
    def session(self, gateway: Gateway) -> Iterator[Session]:
        session = gateway.open("contract")
        yield session
        session.close()

    def test_version(self, gateway: Gateway) -> None:
        assert gateway.version()[0].isdigit()
        assert gateway.api() in ("v2", "v3", "v4")

    def test_bounded_select(self, session: Session) -> None:
        result = session.run("SELECT 1")
        assert result.rows == ((1,),)
        assert [column.type for column in result.columns] == ["INTEGER"]
        assert result.job

    def test_endless_select(self, session: Session) -> None:
        session.run(TICKER)
        pages = fetched(session, "SELECT * FROM ticker", lambda found: len(changes(found)) >= 5)
        assert changes(pages)[:3] == [("+I", (1,)), ("+I", (2,)), ("+I", (3,))]
        assert all(page.is_query and page.job and not page.done for page in pages if page.ready)

    def test_changelog_kinds(self, session: Session) -> None:
        """An aggregate takes its old row back before it gives the new one."""
        session.run(TICKER)
        sql = "SELECT n % 2 AS k, COUNT(*) AS c FROM ticker GROUP BY n % 2"
        found = changes(fetched(session, sql, lambda pages: len(changes(pages)) >= 8))
        for key in (0, 1):
            assert [change for change in found if change[1][0] == key][:3] == [
                ("+I", (key, 1)), ("-U", (key, 1)), ("+U", (key, 2))
            ]  # fmt: skip

    def test_words_are_no_query(self, session: Session) -> None:
        page = fetched(session, TICKER, lambda pages: pages[-1].ready)[-1]
        assert not page.is_query
        assert changes([page]) == [("+I", ("OK",))]
        assert ("ticker",) in session.run("SHOW TABLES").rows

    def test_insert_and_stop(self, session: Session) -> None:
        session.run(TICKER)
        session.run("CREATE TABLE hole (n BIGINT) WITH ('connector' = 'blackhole')")
        job = session.run("INSERT INTO hole SELECT n FROM ticker", {"pipeline.name": "contract"}).job
        assert len(job) == 32
        assert session.run(f"STOP JOB '{job}'").rows == (("OK",),)

    def test_explain(self, session: Session) -> None:
        session.run(TICKER)
        plan = session.run("EXPLAIN SELECT n FROM ticker WHERE n > 1").rows[0][0]
        assert "== Optimized Execution Plan ==" in plan
        assert "\n+- TableSourceScan(" in plan

    @pytest.mark.parametrize(
        ("sql", "words", "place"),
        [
            ("SELEC 1", "Non-query expression encountered in illegal context", (0, 0, 0, 0)),
            ("SELECT\n  nope FROM (VALUES (1))", "Column 'nope' not found in any table", (2, 3, 2, 6)),
            ("SELECT * FROM nowhere", "Object 'nowhere' not found", (1, 15, 1, 21)),
            ("SELECT 1 +", 'Encountered "+ <EOF>".', (1, 10, 0, 0)),
            ("SELECT 1; SELECT 2", "only single statement supported", (0, 0, 0, 0)),
        ],
    )
    def test_refused_with_its_place(
        self, session: Session, sql: str, words: str, place: tuple[int, int, int, int]
    ) -> None:
        with pytest.raises(StatementRefused) as refused:
            session.run(sql)
        error = refused.value
        assert str(error) == words
        assert (error.line, error.column, error.end_line, error.end_column) == place

    def test_fails_at_run_time(self, session: Session) -> None:
        session.run(TICKER)
        with pytest.raises(StatementRefused, match=r"^/ by zero$"):
            session.run("SELECT 10 / (n - 3) FROM ticker", ONCE)

    def test_session_expired(self, session: Session) -> None:
        operation = session.start("SELECT 1")
        session.close()
        for call in (operation.fetch, session.heartbeat, lambda: session.start("SELECT 1")):
            with pytest.raises(SessionExpired):
                call()
        operation.close()
        session.close()
