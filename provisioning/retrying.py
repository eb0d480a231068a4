"""How long to wait before a call is sent again, and whether it had been sent at all."""

from __future__ import annotations

import requests
import urllib3.exceptions

LONGEST_WAIT_S = 30.0
BEFORE_TLS = (
    "CERTIFICATE_VERIFY_FAILED",
    "WRONG_VERSION_NUMBER",
    "HANDSHAKE_FAILURE",
    "UNSUPPORTED_PROTOCOL",
)


def asked_wait(response: requests.Response) -> float:
    if response.status_code != 429:
        return 0.0
    for header in ("Retry-After", "X-RateLimit-Reset"):
        value = response.headers.get(header, "")
        if value.isdecimal():  # ² is a digit
            return min(float(value), 2 * LONGEST_WAIT_S)
    return 0.0


def backoff(attempt: int) -> float:
    return min(2.0 ** (attempt - 1), LONGEST_WAIT_S)


def never_sent(error: requests.RequestException) -> bool:
    early = (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)
    if isinstance(error, requests.exceptions.SSLError):  # it may also break in the middle of an answer
        return any(sign in str(error) for sign in BEFORE_TLS)
    return isinstance(error, early) or refused(error)


def refused(error: requests.RequestException) -> bool:
    """No connection came about."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
