"""Quiet, readable logs; one setting (F1_LOG_JSON=1) makes them one JSON object a line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

UVICORN = ("uvicorn", "uvicorn.access", "uvicorn.error")
DAPHNE = "daphne.access"


def not_unavailable(record: logging.LogRecord) -> bool:
    """A 503 of /healthz says itself what is wrong; every poll of it is no news."""
    return getattr(record, "status_code", 500) != 503


def visitors_fault(record: logging.LogRecord) -> bool:
    """A wrong Host or a body too long is the client's fault: a warning without a traceback of ours."""
    if record.name.startswith("django.security."):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
    return True


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def logging_config(as_json: bool) -> dict[str, Any]:
    """A dictConfig: our own words from info, everybody else's from warning, all to standard error."""
    # uvicorn has set up its own handlers by then; as JSON its lines, those of each request too, go the common way
    servers: dict[str, Any] = (
        {name: {"handlers": [], "propagate": True} for name in UVICORN} if as_json else {}
    )
    if as_json:
        servers[DAPHNE] = {"level": "INFO"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s", "datefmt": "%H:%M:%S"},
            "json": {"()": "f1site.logging.JsonFormatter"},
        },
        "filters": {
            "not_unavailable": {"()": "django.utils.log.CallbackFilter", "callback": not_unavailable},
            "visitors_fault": {"()": "django.utils.log.CallbackFilter", "callback": visitors_fault},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json" if as_json else "line",
                "filters": ["visitors_fault"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "races": {"level": "INFO"},
            "provisioning": {"level": "INFO"},
            # A missing page is the visitor's matter; the answer says it.
            "django.request": {"level": "ERROR", "filters": ["not_unavailable"]},
            "axes": {"level": "WARNING"},
            "psycopg.pool": {"level": "ERROR"},  # it warns of each attempt; /healthz and our log say it once
            "httpx2": {"level": "WARNING"},  # it would name each address that it asks, which may be a key
            **servers,
        },
    }
