"""Names that strangers give themselves: what is taken, and which two look alike.

A name is shown beside others on a big screen. So it is short, it is one line, it cannot turn its neighbours around,
and it cannot pass for somebody else's.
"""

from __future__ import annotations

import unicodedata

LONGEST = 24
MARKS = 2  # on one letter: Vietnamese needs two, and towers of them cover the lines above
TOGETHER = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")  # scripts that one name may mix
# Cyrillic and Greek letters that look like Latin ones, after casefold
ALIKE = str.maketrans("авеікмнорстухјѕԁһαεικνορτυχ0135", "abeikmhopctyxjsdhaeikvoptuxoles")


class BadName(ValueError):
    """The message says what to write instead."""


def clean_name(text: str) -> str:
    """The name as it is kept. Raises BadName."""
    name = " ".join(unicodedata.normalize("NFKC", text[: 10 * LONGEST]).split())
    if not any(unicodedata.category(sign)[0] == "L" for sign in name):
        raise BadName("Write a name with at least one letter.")
    if len(name) > LONGEST:
        raise BadName(f"A name has at most {LONGEST} letters.")
    if any(_unfit(sign) for sign in name):
        raise BadName("A name has letters, digits, spaces and . ' - _ only.")
    if _piled(name) or len(_scripts(name)) > 1:
        raise BadName("Write the name in one alphabet, without signs piled on a letter.")
    return name


def look(name: str) -> str:
    """What a name looks like: two names with the same look cannot be told apart on a screen."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(sign for sign in apart if sign.isalnum())
    return bare.translate(ALIKE).replace("l", "i").replace("rn", "m")


def _unfit(sign: str) -> bool:
    return unicodedata.category(sign)[0] not in "LMN" and sign not in " .'’-_"


def _piled(name: str) -> bool:
    """Whether a letter carries more marks than any language needs, or a mark stands alone."""
    run = MARKS + 1
    for sign in name:
        run = run + 1 if unicodedata.category(sign)[0] == "M" else 0
        if run > MARKS:
            return True
    return False


def _scripts(name: str) -> set[str]:
    """The alphabets of the letters: the first word of each one's name in Unicode."""
    letters = [sign for sign in name if unicodedata.category(sign)[0] == "L"]
    words = [unicodedata.name(sign, "UNKNOWN").partition(" ")[0] for sign in letters]
    return {"CJK" if word.partition("-")[0] in TOGETHER else word for word in words if word != "MODIFIER"}
