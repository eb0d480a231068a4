"""/livez and /healthz: the state of this process, without secrets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone

from races.health.database import database_part
from races.health.schema_registry import RegistryCheck
from races.lab import components
from races.lib.database_errors import public_message
from races.live.service import service
from races.middleware.allowed_methods import allow_methods
from races.models import Race, WorkerHeartbeat
from races.streams import connection
from races.streams.lag import BEHIND_S, behind
from races.worker.heartbeat import COMPONENTS, problems_elsewhere

Part = dict[str, Any]
WORKER_SEEN = timedelta(seconds=10)
AWAY = "the database does not answer"
NOBODY = "nobody records: no worker is heard of"
_registry_check = RegistryCheck()
_logged: set[str] = set()  # kinds of database errors that are logged already, until it is well again
log = logging.getLogger(__name__)


@allow_methods("GET")
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


@allow_methods("GET")
def healthz(request: HttpRequest) -> JsonResponse:
    database = _guarded(database_part)
    beats = None
    if database["ok"]:
        _logged.clear()
        # asked once, because a database that is away keeps every query waiting for seconds
        with suppress(AnyDatabaseError):
            beats = list(WorkerHeartbeat.objects.filter(seen_at__gte=timezone.now() - WORKER_SEEN))
    body: dict[str, Part] = {
        "database": database,
        "kafka": _guarded(kafka_part),
        "registry": _guarded(lambda: registry_part(request)),
        "feed": _guarded(feed_part),
        **{name: _component(name, beats) for name in COMPONENTS},
    }
    ok = all(part["ok"] for part in body.values())
    worker = _guarded(lambda: _worker(beats))
    return JsonResponse({"ok": ok, **body, "worker": worker}, status=200 if ok else 503)


def _guarded(part: Callable[[], Part]) -> Part:
    try:
        return part()
    except connection.NoKafka as error:
        return {"ok": False, "error": str(error)}
    except AnyDatabaseError as error:
        words = public_message(error)
        if words not in _logged:
            log.warning("The database: %s", error)
            _logged.add(words)
        return {"ok": False, "error": words}


def kafka_part() -> Part:
    kafka = connection.current().settings
    state = service().feed.state
    part: Part = {"ok": state is None or state.ok, "bootstrap": kafka.bootstrap, "embedded": kafka.embedded}
    if state is not None and not state.ok:
        part["error"] = state.text
    return part


def registry_part(request: HttpRequest) -> Part:
    current = connection.current()
    if current.embedded_registry is not None:
        return {"ok": True, "url": request.build_absolute_uri(reverse("registry"))}
    part: Part = {"url": current.settings.public(current.settings.registry_url)}
    error = _registry_check.error(current.settings) or current.registry_error()
    return part | ({"ok": False, "error": error} if error else {"ok": True})


def feed_part() -> Part:
    live = service()
    state = live.feed.state
    part: Part = {
        "ok": state is not None and state.ok and not live.feed_error,
        "lag": live.feed.lags(),
        "skipped_records": dict(live.feed.bad),
        "restarts": live.restarts,
        "sockets": live.hub.count(),
    }
    if state is not None:
        part |= {"gaps": state.gaps, "state": state.text}
    lag = live.feed.lag()
    part["behind_s"] = round(lag.seconds, 1)
    late = behind("the page", lag) if lag.seconds > BEHIND_S else ""
    if error := live.feed_error or live.feed.waiting_for or late:
        part |= {"ok": False, "error": error}
    return part


def _component(name: str, beats: list[WorkerHeartbeat] | None) -> Part:
    """Recorder or analytics: those of this process, or what the workers' heartbeats say of theirs."""
    part: Part = {"here": False} | ({"engine": settings.LAB.engine} if name == "analytics" else {})
    here = components.current()
    if here is not None:
        part |= {"here": True, **here.health(name)}
        error = here.status.problems()[name]
    else:
        error = AWAY if beats is None else problems_elsewhere(name, beats)
    return part | ({"ok": False, "error": error[:300]} if error else {"ok": True})


def _worker(beats: list[WorkerHeartbeat] | None) -> Part:
    """The workers, for information: a web process is healthy without one. A race that runs without a worker is recorded
    by nobody, which is an error to show.
    """
    if beats is None:
        return {"ok": False, "error": AWAY}
    rows = [{"owner": row.owner, "races": row.races, "state": row.state} for row in beats]
    part: Part = {"ok": bool(rows), "workers": rows}
    lost = not rows and Race.objects.filter(status=Race.Status.RUNNING).exists()
    return part | ({"error": NOBODY} if lost else {})
