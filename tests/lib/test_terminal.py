"""What commands print: colours on a terminal only, whole lines in a pipe, and no secret in either."""

from __future__ import annotations

import io

import pytest

from races.lib.terminal import Terminal
from races.streams.redaction import HIDDEN, Redactor

ESCAPE = "\x1b["
KEY = "abcdefghijklmnop"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(out: io.StringIO, coloured: bool | None = None) -> Terminal:
    redact = Redactor()
    redact.add(KEY)
    return Terminal(out, redact, coloured)


def printed(out: io.StringIO, coloured: bool | None = None) -> str:
    shown = terminal(out, coloured)
    shown.say(f"the key is {KEY}", "red")
    shown.table(("name", "figure"), [("one", KEY), ("x" * 300, "[red]1[/red]")], right=("figure",))
    return out.getvalue()


@pytest.fixture(autouse=True)
def terminal_of_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")


def test_terminal_has_colours() -> None:
    assert ESCAPE in printed(Screen())


@pytest.mark.parametrize("out", [io.StringIO, Screen])
def test_secret_is_never_shown(out: type[io.StringIO]) -> None:
    said = printed(out())
    assert KEY not in said.replace("\n", "") and said.count(HIDDEN) == 2


def test_pipe_gets_plain_whole_lines() -> None:
    said = printed(io.StringIO())
    assert ESCAPE not in said
    assert "x" * 300 in said and "[red]1[/red]" in said, "markup is text"


def test_no_colour_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[31m" not in printed(Screen(), coloured=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in printed(Screen())
    assert "\x1b[31m" in printed(Screen(), coloured=True)


def test_progress_is_drawn_on_a_terminal_only() -> None:
    for out, drawn in ((Screen(), True), (io.StringIO(), False)):
        with terminal(out).progress(10, "Spa") as bar:
            bar.show(5, f"lap 5 {KEY}")
        assert ("lap 5" in out.getvalue()) is drawn
        assert KEY not in out.getvalue()
