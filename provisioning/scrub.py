"""Secrets never leave through a message: whatever is printed passes through one scrubber."""

from __future__ import annotations

import re

HIDDEN = "[secret]"
SHORTEST = 6  # anything shorter would blank ordinary words
# Confluent's secrets since July 2025, and AWS access keys, wherever they turn up.
LOOKS_SECRET = re.compile(r"cflt[A-Za-z0-9+/=]{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


class Scrubber:
    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, *secrets: str | None) -> None:
        self._known.update(secret for secret in secrets if secret and len(secret) >= SHORTEST)

    def __call__(self, text: str) -> str:
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return LOOKS_SECRET.sub(HIDDEN, text)
