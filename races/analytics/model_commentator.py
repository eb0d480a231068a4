"""A language model's part in the commentary, without the network: what it is asked, what is believed.

The built-in commentator decides when something is said, and what. The model may say it better. Its answer
is a stranger's text: it becomes one plain line, and it is used only if every driver and every number in it
stands in the line it was given. Verbs cannot be checked; names and numbers are what a viewer holds against
the board.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from races.analytics.commentary import Line
from races.analytics.commentary_words import COUNTS, ORDINALS

LONGEST = 120
"""Characters. The model is asked for 80."""

_SYSTEM = (
    "You are a Formula 1 television commentator. You get one line of commentary, and the lines before it. "
    "Say the same thing in your own words: one lively sentence, at most 80 characters, plain text. "
    "Use only names and numbers of the given line, add no fact, and don't repeat a line before it. "
    "No quotation marks, no emoji, no markup."
)
_MARKUP = re.compile(r"[<>{}\[\]`*_#|\\]|https?:|www\.", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
_QUOTES = "\"'“”‘’«» "


def conversation(line: Line, before: Sequence[str]) -> list[dict[str, Any]]:
    """Messages for a chat completion."""
    earlier = "\n".join(f"- {text}" for text in before) or "- (nothing yet)"
    asked = f"Lines before:\n{earlier}\n\nThe line: {line.text}"
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": asked}]


def believed(answer: object, line: Line) -> str | None:
    """The model's answer as one plain line, or None when it must not be used."""
    if not isinstance(answer, str):
        return None
    text = _plain(answer[: 10 * LONGEST])
    if not 8 <= len(text) <= LONGEST or _MARKUP.search(text):
        return None
    invented = (_names(text, line.names) - _names(line.text, line.names)) | (
        _numbers(text) - _numbers(line.text)
    )
    return None if invented else text


def _plain(text: str) -> str:
    """One line without control, format and private characters, pictures and surrounding quotation marks."""
    spaced = (" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Zs") else sign for sign in text)
    kept = (
        sign for sign in spaced if unicodedata.category(sign)[0] != "C" and unicodedata.category(sign) != "So"
    )
    return " ".join("".join(kept).split()).strip(_QUOTES)


def _names(text: str, field: Sequence[str]) -> set[str]:
    return {name for name in field if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)}


def _numbers(text: str) -> set[str]:
    """Digits, and the words for numbers from two on: one and first are said of other things too."""
    words = set(re.findall(r"[a-z]+", text.lower()))
    return set(_NUMBER.findall(text)) | words & {*COUNTS[2:], *ORDINALS[2:]}
