"""Under Daphne a stopping server says nothing to its sockets; this makes it say 1012, so that pages come back."""

from __future__ import annotations

import sys
from typing import Any

from races.live.service import service

_installed = False


def close_with_daphne() -> None:
    """Hooks the reactor's shutdown once, where there is a reactor."""
    global _installed
    reactor: Any = getattr(sys.modules.get("twisted.internet.reactor"), "addSystemEventTrigger", None)
    if _installed or reactor is None:
        return
    _installed = True
    reactor("before", "shutdown", _close)


def _close() -> Any:
    from asyncio import ensure_future

    from twisted.internet.defer import Deferred

    return Deferred.fromFuture(ensure_future(service().close()))
