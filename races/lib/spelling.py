"""Output to where not every sign exists: a Windows console or a pipe in cp1252, a machine in the C locale."""

from __future__ import annotations

import codecs
import sys
import unicodedata

PLAIN = {
    "…": "...",
    "—": "-",
    "–": "-",
    "−": "-",
    "·": "-",
    "•": "*",
    "×": "x",
    "→": "->",
    "←": "<-",
    "↑": "^",
    "↓": "v",
    "█": "#",
    "░": ".",
    "✓": "+",
    "✗": "x",
    "“": '"',
    "”": '"',
    "„": '"',
    "‘": "'",
    "’": "'",
    "€": "EUR",
    "°": " deg",
    "ß": "ss",
}


def plain(text: str) -> str:
    """Returns the text in ASCII: letters without their accents, and a question mark for what has no other spelling."""
    spelled = "".join(PLAIN.get(sign, sign) for sign in text)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(sign))
    return bare.encode("ascii", "replace").decode()


def _other_spelling(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


def write_anywhere() -> None:
    """Gives each sign that standard output or standard error cannot write another spelling there. Without it a name
    with an accent, or three dots in one sign, would end the command with a traceback.
    """
    codecs.register_error("plain", _other_spelling)
    for stream in (sys.stdout, sys.stderr):
        # Standard output is None under pythonw, and of another type in a notebook.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="plain")
