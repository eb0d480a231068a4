"""The waiter, steps side by side, and what people see of them."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from provisioning.clock import Clock
from provisioning.errors import ProvisioningError, WaitTimeout
from provisioning.progress import Lines, Silent, Table, seconds
from provisioning.steps import FAILED_FOR_GOOD, Step, Steps, Waiter, Waiting, drive, run, together, wait
from races.lib.terminal import Terminal
from races.streams.redaction import Redactor
from tests.fakes.laptop import ManualClock


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock(0.0)


def clock(manual_clock: ManualClock) -> Clock:
    return Clock(sleep=manual_clock.advance, monotonic=manual_clock)


def states(*names: str) -> Callable[[], tuple[str, str]]:
    left = list(names)
    return lambda: (left.pop(0) if len(left) > 1 else left[0], "seen")


def until(**changes: object) -> Waiter:
    return Waiter("the cluster", frozenset({"UP"}), frozenset({"FAILED"}), **changes)  # type: ignore[arg-type]


def test_waits_through_unknown_states(manual_clock: ManualClock) -> None:
    """It waits through states it has never heard of."""
    assert (
        drive(wait(states("NEW", "WHATEVER", "UP"), until(), clock(manual_clock)), clock(manual_clock))
        == "seen"
    )
    assert manual_clock.seconds == 10


def test_target_several_times_in_a_row(manual_clock: ManualClock) -> None:
    """The target must be seen so many times in a row."""
    drive(wait(states("UP", "NOT", "UP", "UP"), until(in_a_row=2), clock(manual_clock)), clock(manual_clock))
    assert manual_clock.seconds == 15


def test_a_failed_state_ends_it_at_once(manual_clock: ManualClock) -> None:
    with pytest.raises(ProvisioningError, match="went to FAILED"):
        drive(wait(states("NEW", "FAILED"), until(), clock(manual_clock)), clock(manual_clock))
    assert manual_clock.seconds == 5


def test_time_out_names_the_last_state(manual_clock: ManualClock) -> None:
    """A time out names the last state seen."""
    with pytest.raises(WaitTimeout, match="the cluster: still STUCK after 10 minutes"):
        drive(wait(states("NEW", "STUCK"), until(), clock(manual_clock)), clock(manual_clock))


def test_pending_words_are_shown(
    manual_clock: ManualClock,
) -> None:
    """What the service says of a pending state is shown and in the time out."""
    waiting = wait(states("NEW", "STUCK"), until(label="query", says=str.upper), clock(manual_clock))
    assert next(waiting).said == "query NEW: SEEN"
    with pytest.raises(WaitTimeout, match=r"still STUCK after 10 minutes\.\nThe service says: SEEN"):
        drive(waiting, clock(manual_clock))


def nap(length: float, name: str, log: list[str]) -> Steps[str]:
    log.append(f"{name} begins")
    yield Waiting(f"{name} sleeps", length)
    log.append(f"{name} ends")
    return name


def test_waits_take_as_long_as_the_longest(manual_clock: ManualClock) -> None:
    """Several waits take as long as the longest."""
    log: list[str] = []
    assert drive(together([nap(30, "a", log), nap(10, "b", log)]), clock(manual_clock)) == ["a", "b"]
    assert manual_clock.seconds == pytest.approx(30)
    assert log == ["a begins", "b begins", "b ends", "a ends"]


def test_steps_run_side_by_side(manual_clock: ManualClock) -> None:
    """Steps run side by side and after what they need."""
    log: list[str] = []
    steps = [
        Step("slow", "Slow", lambda: nap(60, "slow", log)),
        Step("quick", "Quick", lambda: nap(20, "quick", log)),
        Step("last", "Last", lambda: "at once", ("slow", "quick")),
    ]
    rows = run(steps, clock(manual_clock), Silent())
    assert manual_clock.seconds == pytest.approx(60, abs=1)
    assert [row.text for row in rows] == ["slow", "quick", "at once"]
    assert rows[2].started >= rows[0].ended


def shown(out: Table | Lines, manual_clock: ManualClock) -> None:
    def fails() -> str:
        raise ProvisioningError("no")

    steps = [
        Step("cluster", "Kafka cluster", lambda: nap(40, "cfltASecretThatLooksLikeOne123456", [])),
        Step("check", "Check", fails, ("cluster",)),
        Step("never", "Never", lambda: "", ("check",)),
    ]
    with pytest.raises(ProvisioningError):
        run(steps, clock(manual_clock), out)


def test_pipe_gets_plain_lines(manual_clock: ManualClock) -> None:
    """A pipe gets plain lines and hears again of a long wait."""
    out = io.StringIO()
    shown(Lines(Terminal(out, Redactor())), manual_clock)
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert "cflt" not in out.getvalue()
    assert [line.split("] ", 1)[1] for line in lines] == [
        "Kafka cluster: [hidden] sleeps",
        "Kafka cluster: [hidden] sleeps",
        "Kafka cluster: done in 40.0 s: [hidden]",
        "Check: failed after 0.0 s",
    ]


class Screen(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_terminal_gets_a_table(manual_clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets a table that is drawn in place."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    out = Screen(io.BytesIO(), encoding="utf-8", write_through=True)
    shown(Table(Terminal(out, Redactor())), manual_clock)
    out.seek(0)
    said = out.read()
    assert said.count("\x1b[?25l") == said.count("\x1b[?25h") == 1, "the cursor is back"
    last = said.rsplit("\x1b[2K", 1)[1].splitlines()
    assert len([line for line in last if line.strip()]) >= 3
    assert "✓ Kafka cluster" in last[0]
    assert "✗ Check" in last[1]
    assert "after: Check" in last[2]


def test_several_in_one_state_share_a_line(
    manual_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each state is told once, and a pipe wraps what is longer than a line, as far to the right."""
    monkeypatch.setenv("COLUMNS", "80")

    def reach(name: str, state: str) -> Steps[str]:
        yield Waiting(state, 5, name)
        return "made"

    def tables() -> Steps[str]:
        made = yield from together(
            [reach(f"table-of-some-{n}", "PENDING") for n in "abcd"] + [reach("e", "READY")]
        )
        return f"{len(made)} made"

    out = io.StringIO()
    run([Step("tables", "Tables", tables)], clock(manual_clock), Lines(Terminal(out, Redactor())))
    assert out.getvalue().splitlines() == [
        "[   0.0 s] Tables: table-of-some-a, table-of-some-b, table-of-some-c,",
        "           table-of-some-d PENDING; e READY",
        "[   5.0 s] Tables: done in 5.0 s: 5 made",
    ]


def test_elapsed_times_read_well() -> None:
    assert [seconds(s) for s in (0.04, 7.44, 59.99, 65, 754)] == [
        "0.0 s",
        "7.4 s",
        "60.0 s",
        "1:05 min",
        "12:34 min",
    ]


def test_failure_tells_what_to_do(manual_clock: ManualClock) -> None:
    """A failure tells what the service says and what to do."""
    failing = until(says=str.upper, after_failure=FAILED_FOR_GOOD)
    with pytest.raises(ProvisioningError) as caught:
        drive(wait(states("FAILED"), failing, clock(manual_clock)), clock(manual_clock))
    assert "The service says: SEEN" in str(caught.value)
    assert "teardown_confluent takes it away" in str(caught.value)


def test_pipe_hears_the_same_again_seldom(manual_clock: ManualClock) -> None:
    """Two complaints by turns, as a Kafka client has them, are two lines, and once more after half a minute."""

    def waits() -> Steps[str]:
        for number in range(70):
            yield Waiting(("refused", "no brokers")[number % 2], 0.5)
        return "taken"

    out = io.StringIO()
    run([Step("check", "Check", waits)], clock(manual_clock), Lines(Terminal(out, Redactor())))
    said = [line.split(": ", 1)[1] for line in out.getvalue().splitlines()]
    assert said == ["refused", "no brokers", "refused", "no brokers", "done in 35.0 s: taken"]
