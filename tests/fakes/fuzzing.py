"""What the fuzz tests share: a sweep that counts what was hostile in it, and how a page is seen to be whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import ceil
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

BARE = settings(suppress_health_check=list(HealthCheck), database=None)
T = TypeVar("T")
Counted = Callable[[str], None]
FEW, MANY = 200, 10_000  # hostile inputs of each kind, in `make test` and in `make test-full`

# Each is markup wherever it is not escaped; UNESCAPED finds them as such, wherever they got in.
MARKUP = (
    "<zq>",
    "</td></table><zq a=1>",
    '"><zq onerror=alert(1)>',
    '" "zq="1',
    "' 'zq='1",
    "--><zq><!--",
    "</script></style></textarea></title><zq/>",
    "&lt;zq&gt;<zq &quot;",
    "{{ 7*7 }}{% debug %}<zq>",
    "‮\x1b]0;owned\x07<zq>",
)
UNESCAPED = re.compile(r"""<zq|["']zq=""")
QUOTED, TAG = re.compile(r'"[^"]*"'), re.compile(r"<[^<>]*>?")


def sweep(
    counted: Counted,
    what: str,
    at_least: int,
    cases: st.SearchStrategy[T],
    check: Callable[[T], int],
    at_once: float = 1,
) -> None:
    """check gives how many hostile inputs a case was. at_once: at least as many on average; cases of many take too
    long to shrink."""
    done, phases = 0, [Phase.generate, *([Phase.shrink] if at_once <= 1 else [])]

    @settings(BARE, max_examples=ceil(1.1 * at_least / at_once), phases=phases)
    @given(case=cases)
    def run(case: T) -> None:
        nonlocal done
        hostile = check(case)
        done += hostile
        for _ in range(hostile):
            counted(what)

    run()
    assert done >= at_least, f"{done} {what}; at least {at_least} were meant"


def shapes(page: str) -> set[str]:
    """Its tags without what stands between quotes. A quote or a bracket too many makes others."""
    return set(TAG.findall(QUOTED.sub('""', page)))
