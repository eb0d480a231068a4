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
    """Hides every secret that it was told of, wherever it stands in a text, and whatever looks like one."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, *secrets: str | None) -> None:
        self._known.update(secret for secret in secrets if secret and len(secret) >= SHORTEST_INSIDE)

    def __call__(self, text: str) -> str:
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return LOOKS_SECRET.sub(HIDDEN, text)


def secrets_of(librdkafka: Mapping[str, str], registry_auth: str | None) -> tuple[str, ...]:
    """Names and keys, the longest first: one may be the beginning of another."""
    own = [value for key, value in librdkafka.items() if SECRET.search(key)]
    found = {*own, *(registry_auth or "").partition(":")}
    return tuple(sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True))


def redact(text: str, secrets: Iterable[str]) -> str:
    """Hides the secrets in a text, as whole words: a user named lab must not change labels. Addresses lose their
    user.
    """
    for secret in secrets:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return USERINFO.sub("", text)
