"""The health check of the schema registry: does it answer?

The lab asks for each schema once. Nobody else would notice a registry that goes away, before a new schema is needed.
The check is rare and short.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import requests

from races.lib.http import OwnSession
from races.streams.config import StreamSettings

ASK_EVERY_S, TIMEOUT_S = 3.0, 2.0


class RegistryCheck:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: tuple[str, float, str] = ("", float("-inf"), "")

    def error(self, settings: StreamSettings) -> str:
        """Why the registry cannot be used; empty when it can. The answer is at most a few seconds old."""
        url, at, words = self._asked
        if url != settings.registry_url or self._clock() - at >= ASK_EVERY_S:
            words = _ask(settings)
            self._asked = (settings.registry_url, self._clock(), words)
        return words


def _ask(settings: StreamSettings) -> str:
    user, _, password = (settings.registry_auth or "").partition(":")
    url = settings.registry_url.rstrip("/") + "/schemas/types"
    try:
        with OwnSession(user, password) as session:
            answer = session.get(url, timeout=TIMEOUT_S, verify=settings.registry_ca or True)
    except requests.RequestException as error:
        return f"the registry does not answer: {type(error).__name__}"
    # 403: the key is known and may not list types, which nobody here needs; what it may do is tried at the start.
    refused = answer.status_code == 401 or answer.status_code >= 500
    return f"the registry answers {answer.status_code}" if refused else ""
