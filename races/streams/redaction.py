"""What brokers and registries say is shown to anybody; what it may hold of ours is taken out first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "[hidden]"
SECRET = re.compile(
    r"username|password|secret|principal|token|jaas|client\.credentials|ssl\..*(key|pem)|oauthbearer"
)
USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
SHORTEST = 3  # a name of one letter would hide half of every sentence


def secrets_of(librdkafka: Mapping[str, str], registry_auth: str | None) -> tuple[str, ...]:
    """Names and keys, the longest first: one may be the beginning of another."""
    own = [value for key, value in librdkafka.items() if SECRET.search(key)]
    found = {*own, *(registry_auth or "").partition(":")}
    return tuple(sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True))


def without(text: str, secrets: Iterable[str]) -> str:
    """As whole words: a user named lab must not change what is said of labels. Addresses lose their user."""
    for secret in secrets:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return USERINFO.sub("", text)
