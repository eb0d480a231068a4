"""Secrets are taken out of whatever is shown: what services say, logs, tracebacks, recorded exchanges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "[hidden]"
SECRET = re.compile(
    r"username|password|secret|principal|token|jaas|client\.credentials|ssl\..*(key|pem)|oauthbearer"
)
USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
SHORTEST = 3  # a name of one letter would hide half of every sentence
SHORTEST_INSIDE = 6  # inside of words: anything shorter would blank ordinary words
# Confluent's secrets since July 2025, and AWS access keys, wherever they turn up.
LOOKS_SECRET = re.compile(r"cflt[A-Za-z0-9+/=]{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


class Redactor:
    """Hides every secret that it knows, and whatever looks like one."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, *secrets: str | None) -> None:
        self._known.update(secret for secret in secrets if secret and len(secret) >= SHORTEST_INSIDE)

    def __call__(self, text: str) -> str:
        return redact(text, self._known)


def secrets_of(librdkafka: Mapping[str, str], registry_auth: str | None) -> tuple[str, ...]:
    """The names and keys of a Kafka and its registry."""
    own = [value for key, value in librdkafka.items() if SECRET.search(key)]
    found = {*own, *(registry_auth or "").partition(":")}
    return tuple(one for one in found if len(one) >= SHORTEST)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Hides the secrets in a text, and whatever looks like one. Addresses lose their user.

    The longest goes first, because one may be the beginning of another. A short one is hidden as a whole word only: a
    user named lab must not change labels.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        inside = re.escape(secret)
        text = re.sub(inside if len(secret) >= SHORTEST_INSIDE else rf"(?<!\w){inside}(?!\w)", HIDDEN, text)
    return USERINFO.sub("", LOOKS_SECRET.sub(HIDDEN, text))
