"""Flink SQL cut into tokens, and a reader that walks over them."""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"(?P<skip>\s+|--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*')|(?P<quoted>`[^`]+`)"
    r"|(?P<word>[A-Za-z_$][\w$]*)|(?P<number>\d+(?:\.\d+)?)|(?P<sign>.)",
    re.S,
)


class SqlError(Exception):
    """What a FAILED statement says in its detail."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str  # without its quotes

    def says(self, *words: str) -> bool:
        return self.kind in ("word", "sign") and self.text.upper() in words

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "quoted")


END = Token("end", "")


def tokens(sql: str) -> list[Token]:
    found = []
    for match in TOKEN.finditer(sql):
        kind, text = str(match.lastgroup), match.group()
        if kind == "text":
            text = text[1:-1].replace("''", "'")
        elif kind == "quoted":
            text = text[1:-1]
        if kind != "skip":
            found.append(Token(kind, text))
    return found


class Reader:
    """Walks over tokens."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0

    def peek(self, ahead: int = 0) -> Token:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else END

    def next(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Whether these words come next; if so they are read."""
        if all(self.peek(i).says(word) for i, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise SqlError(f"SQL parse failed. Expected {' '.join(words)}, found '{self.peek().text}'.")

    def name(self) -> str:
        """Reads a name and gives the last part of a qualified one."""
        token = self.next()
        if not token.is_name:
            raise SqlError(f"SQL parse failed. Expected a name, found '{token.text}'.")
        return self.name() if self.accept(".") else token.text

    def number(self) -> int:
        token = self.next()
        if not token.text.isdigit():
            raise SqlError(f"SQL parse failed. Expected a number, found '{token.text}'.")
        return int(token.text)

    def group(self) -> list[Token]:
        """Reads the tokens between the parenthesis that comes next and its partner."""
        self.expect("(")
        depth, start = 1, self.at
        while depth:
            token = self.next()
            if token is END:
                raise SqlError("SQL parse failed. A parenthesis is not closed.")
            depth += token.says("(") - token.says(")")
        return self.tokens[start : self.at - 1]

    def rest(self) -> list[Token]:
        return self.tokens[self.at :]


def check_parentheses(found: list[Token]) -> None:
    """Raises SqlError unless each one has its partner."""
    depth = 0
    for token in found:
        depth += token.says("(") - token.says(")")
        if depth < 0:
            break
    if depth:
        raise SqlError("SQL parse failed. The parentheses don't match.")


def split(found: list[Token], separator: str) -> list[list[Token]]:
    """Splits at a separator outside of parentheses. Empty parts are left out."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += token.says("(") - token.says(")")
        if depth == 0 and token.says(separator):
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]
