"""A language model's part in the commentary, without the network: what it is asked, what is believed.

The built-in commentator decides when something is said, and what. The model may say it better. Its answer
is a stranger's text: it becomes one plain line, and it is used only if every driver, team and number in it
stands in the line it was given. Verbs cannot be checked; names and numbers are what a viewer holds against
the board.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from races.analytics.commentary.commentator import Line
from races.analytics.commentary.words import COUNTS, ORDINALS

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
_WORD = re.compile("[a-z]+")
_TEENS = ("thir", "four", "fif", "six", "seven", "eigh", "nine")
_TENS = ("twen", "thir", "for", "fif", "six", "seven", "eigh", "nine")
_LARGE = ("hundred", "thousand", "million")
_NUMBER_WORDS = {
    *COUNTS[2:], *ORDINALS[2:], "zero", "eleventh", "twelfth", "dozen", "couple", "trio", "half", "halfway",
    "quarter", "twice", "double", "thrice", "triple",
    *(f"{stem}{ending}" for stem in _TEENS for ending in ("teen", "teenth")),
    *(f"{stem}{ending}" for stem in _TENS for ending in ("ty", "tieth", "tie")),
    *(f"{word}{ending}" for word in _LARGE for ending in ("", "th")),
}  # fmt: skip
_QUOTES = "\"'“”‘’«» "


def conversation(line: Line, before: Sequence[str]) -> list[dict[str, Any]]:
    """The messages of a chat completion that asks for the line in other words."""
    earlier = "\n".join(f"- {text}" for text in before) or "- (nothing yet)"
    asked = f"Lines before:\n{earlier}\n\nThe line: {line.text}"
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": asked}]


def believed(answer: object, line: Line) -> str | None:
    """The model's answer as one plain line, or None when it must not be used."""
    if not isinstance(answer, str):
        return None
    # one line without control, format and private characters, pictures and surrounding quotation marks
    spaced = (
        " " if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Zs") else sign
        for sign in answer[: 10 * LONGEST]
    )
    kept = (
        sign for sign in spaced if unicodedata.category(sign)[0] != "C" and unicodedata.category(sign) != "So"
    )
    text = " ".join("".join(kept).split()).strip(_QUOTES)
    # all letters must be Latin: in another alphabet a name that looks like a driver's would pass for no name
    if (
        not 8 <= len(text) <= LONGEST
        or _MARKUP.search(text)
        or not all(unicodedata.name(sign, "").startswith("LATIN") for sign in _folded(text) if sign.isalpha())
    ):
        return None
    return None if _claims(text, line) - _claims(line.text, line) else text


def _claims(text: str, line: Line) -> set[str]:
    """Drivers, teams and numbers that the text speaks of."""
    text = _folded(text)
    named = {names[0] for names in (*line.drivers, *line.teams) if any(_says(text, name) for name in names)}
    # words for numbers and shares count too, but not one and first, which mean other things as well
    words = (word if word == "seconds" else word.removesuffix("s") for word in _WORD.findall(text.lower()))
    return named | (set(_NUMBER.findall(text)) | _NUMBER_WORDS.intersection(words))


def _folded(text: str) -> str:
    """The text without accents and ligatures: Pérez is Perez, and \u00bd is 1\u20442."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _says(text: str, name: str) -> bool:
    """Whether the text names somebody, in any case of letters.

    A code counts in capitals only, as HAM and PER are words too. A plural counts: two Ferraris are Ferrari.
    """
    code = len(name) <= 3 and name.isupper()
    pattern = rf"\b{re.escape(_folded(name))}(?:e?s)?\b"
    return re.search(pattern, text, 0 if code else re.IGNORECASE) is not None
