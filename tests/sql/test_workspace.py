from __future__ import annotations

import pytest

from races.sql.execution import FAILED, FINISHED, NOBODY, RUNNING, STOPPED
from races.sql.service import BEGINNING, RACE, Start
from races.sql.statements import NotAllowed, Piece
from races.sql.workspace import TooMany
from tests.fakes.waiting import wait_for
from tests.sql.conftest import Desk

ENDLESS = "SELECT * FROM ticker"


def test_endless_select(desk: Desk) -> None:
    one = desk.run(ENDLESS)
    assert desk.rows(one, 3) == [["+I", 1], ["+I", 2], ["+I", 3]]
    assert one.state == RUNNING
    assert [column.name for column in one.columns] == ["n"]
    desk.workspace.stop("ann", one.id)
    assert desk.until(one, STOPPED).words == "You stopped it."
    wait_for(lambda: desk.fake.jobs[one.job][1] == "CANCELED", "its job is cancelled")


def test_changelog_kinds(desk: Desk) -> None:
    one = desk.run("SELECT n % 2 AS k, COUNT(*) AS c FROM ticker GROUP BY n % 2")
    assert desk.rows(one, 4)[2:] == [["-U", 1, 1], ["+U", 1, 2]]


def test_bounded_select(desk: Desk) -> None:
    one = desk.until(desk.run("SELECT 1"), FINISHED)
    assert desk.rows(one, 1) == [["+I", 1]]
    assert one.first_row_s is not None


def test_lab_s_tables_by_topic_and_role(desk: Desk) -> None:
    desk.until(desk.run("SHOW TABLES"), FINISHED)
    assert {"f1-driver-positions", "positions", "f1-driver-avg-speed", "avg_speed"} <= set(desk.fake.tables)


def test_error_with_its_place(desk: Desk) -> None:
    text = "SELECT 1;\nSELECT\n  nope FROM x"
    one = desk.until(desk.workspace.run("ann", Piece(text[10:], 10), Start()), FAILED)
    assert one.words == "Column 'nope' not found in any table"
    assert one.place is not None
    assert text[slice(*one.place)] == "nope"


def test_column_that_is_a_word_of_sql(desk: Desk) -> None:
    one = desk.until(desk.run("SELECT position, lap FROM positions"), FAILED)
    assert one.words == 'Encountered "position ,". Is position a column? Write it in backquotes: `position`.'


def test_place_in_an_explain(desk: Desk) -> None:
    """The word EXPLAIN that the button adds does not move it."""
    one = desk.workspace.run("ann", Piece("SELECT nope FROM x", 0), Start(), explain=True)
    assert desk.until(one, FAILED).place == (7, 11)


def test_explain_is_a_tree(desk: Desk) -> None:
    one = desk.until(desk.run("EXPLAIN SELECT n FROM ticker WHERE n > 1"), FINISHED)
    assert one.tree is not None
    assert one.tree[0]["name"] == "Calc"
    assert one.tree[0]["inputs"][0]["name"] == "TableSourceScan"


def test_fails_at_run_time(desk: Desk) -> None:
    one = desk.until(desk.run("SELECT 10 / (n - 3) FROM ticker"), FAILED)
    assert one.words == "/ by zero"
    assert one.total == 1
    assert desk.fake.statements[-1][1]["restart-strategy.type"] == "none"


def test_insert_goes_on_until_stopped(desk: Desk) -> None:
    one = desk.until(desk.run("INSERT INTO mine SELECT n FROM ticker"), RUNNING)
    name, state = desk.fake.jobs[one.job]
    assert name == "SQL workspace test: INSERT INTO mine SELECT n FROM ticker"
    assert state == "RUNNING"
    desk.workspace.stop("ann", one.id)
    desk.until(one, STOPPED)
    wait_for(lambda: desk.fake.jobs[one.job][1] == "CANCELED", "its job is cancelled")


def test_insert_that_fails_says_why(desk: Desk) -> None:
    one = desk.until(desk.run("INSERT INTO mine SELECT n FROM ticker"), RUNNING)
    desk.fake.failures[one.job] = "java.lang.ArithmeticException: / by zero"
    desk.fake.jobs[one.job][1] = "FAILED"
    assert desk.until(one, FAILED).words == "/ by zero"


def test_own_table_gets_a_topic(desk: Desk) -> None:
    desk.until(desk.run("CREATE TABLE mine (n BIGINT)"), FINISHED)
    assert desk.topics == ["mine"]
    assert "'topic' = 'mine'" in desk.fake.statements[-1][0]


def test_not_allowed_changes_nothing(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.run("INSERT INTO positions SELECT 1")
    assert desk.workspace.look("ann", {}, -1, 0)["statements"] == []


def test_as_many_as_there_are_slots(desk: Desk) -> None:
    found = [desk.until(desk.run(ENDLESS), RUNNING) for _ in range(desk.fake.slots)]
    with pytest.raises(TooMany, match="4 slots and none is free"):
        desk.run(ENDLESS)
    desk.until(desk.run("SHOW TABLES"), FINISHED)
    desk.workspace.stop("ann", found[0].id)
    wait_for(lambda: desk.fake.free_slots() == 1, "a slot is free again")
    desk.until(desk.run(ENDLESS), RUNNING)


def test_limit_of_rows(desk: Desk) -> None:
    desk.start(rows=20)
    assert desk.until(desk.run(ENDLESS), STOPPED).words == "It reached the limit of 20 changes."


def test_limit_of_time(desk: Desk) -> None:
    one = desk.until(desk.run(ENDLESS), RUNNING)
    desk.workspace.person("ann").last_seen += 1000  # a page looks on
    desk.ahead = 901
    assert desk.until(one, STOPPED).words == "It reached the limit of 15 minutes."


def test_unread_changes_hold_the_statement(desk: Desk) -> None:
    """Nothing that no page has seen is thrown away; the buffer stays small."""
    desk.start(kept=50)
    one = desk.run(ENDLESS)
    wait_for(lambda: one.total >= 50, "the buffer is full")
    told = desk.workspace.look("ann", {one.id: 0}, -1, 0)["statements"][0]
    assert [change[1] for change in told["changes"]] == list(range(1, 51))
    desk.workspace.look("ann", {one.id: 50}, -1, 0)
    wait_for(lambda: one.total >= 100, "it goes on")
    first, changes = one.after(50, 1)
    assert (first, changes) == (50, [["+I", 51]])


def test_look_waits_for_news(desk: Desk) -> None:
    one = desk.until(desk.run("SELECT 1"), FINISHED)
    told = desk.workspace.look("ann", {}, -1, 0)
    assert told["statements"][0]["changes"] == [["+I", 1]]

    def is_quiet() -> bool:
        nonlocal told
        before, told = told, desk.workspace.look("ann", {one.id: 1}, told["version"], 0.05)
        return bool(before["version"] == told["version"])

    wait_for(is_quiet, "a look without news ends with its wait")
    assert told["statements"][0]["changes"] == []


def test_people_see_their_own(desk: Desk) -> None:
    desk.until(desk.run("SELECT 1"), FINISHED)
    assert desk.workspace.look("bob", {}, -1, 0)["statements"] == []
    assert len(desk.fake.sessions) == 1


def test_one_session_each(desk: Desk) -> None:
    for who in ("ann", "ann", "bob"):
        desk.until(desk.run("SELECT 1", who), FINISHED)
    assert len(desk.fake.sessions) == 2


def test_nobody_looks_any_more(desk: Desk) -> None:
    """What runs is ended, its session closed; who comes back finds it listed with the reason."""
    one = desk.until(desk.run(ENDLESS), RUNNING)
    desk.ahead = 61
    assert desk.until(one, STOPPED).words == NOBODY
    wait_for(lambda: not desk.fake.sessions, "the session is closed")
    assert desk.workspace.look("ann", {}, -1, 0)["statements"][0]["words"] == NOBODY
    desk.until(desk.run("SELECT 1"), FINISHED)


def test_flink_started_anew(desk: Desk) -> None:
    """Its sessions are gone; the next statement gets another, with the person's own tables."""
    desk.until(desk.run("CREATE TABLE mine (n BIGINT)"), FINISHED)
    running = desk.until(desk.run(ENDLESS), RUNNING)
    desk.fake.forget_sessions()
    assert "forgotten this session" in desk.until(running, FAILED).words
    desk.fake.tables.clear()
    desk.until(desk.run("SELECT 1"), FINISHED)
    assert "mine" in desk.fake.tables


def test_gateway_away(desk: Desk) -> None:
    desk.fake.url, url = "http://127.0.0.1:1", desk.fake.url
    desk.start()
    with pytest.raises(TooMany, match="No SQL gateway answers"):
        desk.run(ENDLESS)
    assert "No SQL gateway answers" in desk.until(desk.run("SHOW TABLES"), FAILED).words
    desk.fake.url = url


def test_leftovers_are_ended(desk: Desk) -> None:
    desk.fake.jobs |= {
        "a": ["SQL workspace test: SELECT 1", "RUNNING"],
        "b": ["SQL workspace other: SELECT 1", "RUNNING"],
        "c": ["f1-average-speed-query", "RUNNING"],
    }
    desk.workspace.person("ann")
    wait_for(lambda: desk.workspace.leftovers == 1, "it is counted")
    assert [state for _, state in desk.fake.jobs.values()] == ["CANCELED", "RUNNING", "RUNNING"]


def test_where_it_reads_from(desk: Desk) -> None:
    person = desk.workspace.service.open("ann")
    person.start("SELECT 1", Start(RACE, 12))
    person.start("SELECT 1", Start(RACE, 12))
    changed = [sql for sql, _ in desk.fake.statements if sql.startswith("ALTER")]
    assert len(changed) == 1  # the append table, once
    assert "'scan.startup.timestamp-millis' = '12'" in changed[0]
    person.start("SELECT 1", Start(BEGINNING))
    assert "'earliest-offset'" in desk.fake.statements[-2][0]


def test_forgotten_statement_is_stopped(desk: Desk) -> None:
    one = desk.until(desk.run(ENDLESS), RUNNING)
    desk.workspace.forget("ann", one.id)
    desk.until(one, STOPPED)
    assert desk.workspace.look("ann", {}, -1, 0)["statements"] == []


def test_end_of_the_lab_ends_all(desk: Desk) -> None:
    one = desk.until(desk.run(ENDLESS), RUNNING)
    desk.workspace.close()
    desk.until(one, STOPPED)
    wait_for(lambda: desk.fake.jobs[one.job][1] == "CANCELED", "its job is cancelled")


def test_secrets_are_not_shown(desk: Desk) -> None:
    session = desk.service(lambda text: text.replace("OK", "***")).open("ann")
    running = session.start("SHOW TABLES", Start())
    rows = [value for _ in range(4) for change in running.fetch().changes for value in change.fields]
    assert rows
    made = session.start("CREATE VIEW v AS SELECT 1", Start())
    found = [value for _ in range(2) for change in made.fetch().changes for value in change.fields]
    assert found == ["***"]
