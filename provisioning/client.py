"""One way to call Confluent Cloud.

The retry policy, in words:

- 429 was not carried out: wait as long as the answer says (Retry-After, else X-RateLimit-Reset, else back-off) and
  send it again, whatever it was.
- Nothing was sent (no name, no route, refused): send it again.
- 500, 502, 503, 504, a lost connection or a time-out: what only reads, and what may be repeated (PUT, PATCH, DELETE),
  is sent again. A POST is not: it may have been carried out, so OutcomeUnknown goes to the caller, who looks first.
- 401 and 403 on a data plane: frontends learn of a new key one by one, so these are tried again for a short while.
- A redirection within the service, to another of its hosts as well, is followed with the same method, body and key.
- Anything else is an answer.

Back-off doubles from one second to thirty; six tries in all. Every error carries the service's request id.
"""

from __future__ import annotations

import contextlib
import json as jsonlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions

from provisioning import errors
from provisioning.clock import Clock
from provisioning.errors import LOOPBACK, Failure, OutcomeUnknown, ProvisioningError
from races.lib.http import OwnSession
from races.streams.redaction import Redactor

TRIES = 6
TIMEOUT_S = (10.0, 60.0)
SILENT_S = 5.0
REDIRECTS = 4
SERVICE = ".confluent.cloud"
TROUBLE = (500, 502, 503, 504)
REDIRECTIONS = (301, 302, 307, 308)  # 303 means another resource, to be read


@dataclass(frozen=True, slots=True)
class Login:
    """plane: whose key it is (Cloud, Kafka, Schema Registry, Flink)."""

    plane: str
    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    url: str
    login: Login
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    content_type: str = "application/json"
    repeatable: bool = True
    patient: bool = True

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


class Reply(dict[str, Any]):
    """An object of an answer. A field that is missing, or null, is an error in words, which names the call."""

    def __init__(self, call: Call, found: dict[str, Any]) -> None:
        super().__init__(found)
        self._call = call

    def __getitem__(self, name: str) -> Any:
        found = self.get(name)
        if found is None:
            raise errors.incomplete(f"{self._call.method} {self._call.path}", name)
        return found


def unheard(text: str) -> None:
    """Takes the signs of life where nobody is to hear them."""


class Client:
    def __init__(
        self,
        redact: Redactor,
        clock: Clock,
        session: requests.Session | None = None,
        tries: int = TRIES,
        timeout: tuple[float, float] = TIMEOUT_S,
    ) -> None:
        self._redact, self._clock, self._tries, self._timeout = redact, clock, tries, timeout
        self._session = session or OwnSession()
        self._heard = ""
        self.say: Callable[[str], None] = unheard  # a sign of life in a long wait

    def service_time(self) -> str:
        """The service's own clock, as of its last answer: a laptop's may be wrong by hours."""
        return self._heard or self._clock.stamp()

    def request(self, call: Call) -> Any:
        """Makes a call and returns the decoded JSON, or None for an empty body. Raises ApiError, OutcomeUnknown,
        NetworkError."""
        _refuse_plain_text(call.url)
        for attempt in range(1, self._tries + 1):
            last = attempt == self._tries
            try:
                with self._sign_of_life(call):
                    response = self._send(call)
            except requests.RequestException as error:
                if not call.repeatable and not never_sent(error):
                    raise _unknown(call, type(error).__name__) from None
                stopped = (
                    refused(error) and urlsplit(call.url).hostname in LOOPBACK
                )  # a stand-in that is gone
                if last or stopped:
                    raise errors.network_error(error, call.url) from None
                self.say(f"{_host(call.url)}: no answer yet, trying again ({attempt + 1} of {self._tries}).")
                self._clock.sleep(backoff(attempt))
                continue
            except ValueError:  # requests reads where a redirection leads, followed or not
                raise _elsewhere(call) from None
            except OSError as error:  # before anything was sent: requests looks for the file first
                raise errors.certificate_file(error) from None
            date = response.headers.get("Date")
            if date:
                with contextlib.suppress(ValueError):
                    self._heard = parsedate_to_datetime(date).isoformat()
            if last or not _try_again(call, response):
                break
            # Not of a new key: that it is refused for a while is the rule.
            again = f"trying again ({attempt + 1} of {self._tries})."
            if response.status_code == 429:
                self.say(f"{_host(call.url)} asks to slow down, {again}")
            elif response.status_code in TROUBLE:
                self.say(f"{_host(call.url)} has trouble ({response.status_code}), {again}")
            self._clock.sleep(asked_wait(response) or backoff(attempt))
        return self._answer(call, response)

    @contextlib.contextmanager
    def _sign_of_life(self, call: Call) -> Iterator[None]:
        """Says after a few seconds what is waited for; a call may take a minute until it times out."""
        if self.say is unheard:  # a thread for each call would be for nothing
            yield
            return
        timer = threading.Timer(
            SILENT_S, self.say, [f"{_host(call.url)} has not answered yet, still waiting."]
        )
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _send(self, call: Call) -> requests.Response:
        url, params = call.url, dict(call.params)
        for _ in range(REDIRECTS):
            response = self._session.request(
                call.method,
                url,
                params=params,
                data=None if call.body is None else jsonlib.dumps(call.body),
                headers={"Content-Type": call.content_type} if call.body is not None else {},
                auth=(call.login.key, call.login.secret),
                timeout=self._timeout,
                allow_redirects=False,
            )
            target = redirected(url, response)
            if not target:
                break
            url, params = target, {}  # its query is a part of the address
        return response

    def _answer(self, call: Call, response: requests.Response) -> Any:
        if response.status_code >= 400:
            if response.status_code in TROUBLE and not call.repeatable:
                raise _unknown(call, str(response.status_code))
            code, detail = read_error(response.text)
            failure = Failure(
                plane=call.login.plane,
                method=call.method,
                path=call.path,
                status=response.status_code,
                code=self._redact(code),
                detail=self._redact(detail),
                request_id=response.headers.get("X-Request-Id", ""),
            )
            raise errors.api_error(failure)
        if response.status_code >= 300:  # out of the service: to a sign-in page
            raise _elsewhere(call)
        try:
            found = response.json(object_hook=partial(Reply, call)) if response.content else None
        except (requests.exceptions.JSONDecodeError, RecursionError):
            if call.method == "DELETE" and not response.text.lstrip().startswith("<"):
                return None  # "OK": whether the thing is gone is looked at; a sign-in page would be HTML
            if call.repeatable:
                raise errors.not_the_api(call.url) from None
            raise _unknown(call, "an unreadable answer") from None
        if call.method == "POST" and not isinstance(found, dict):  # each tells what it made
            raise _unknown(call, "an empty answer")
        return found


def redirected(url: str, response: requests.Response) -> str:
    """Gives the address to which a redirection leads within the service, and "" for any other answer.

    A browser would turn a POST into a GET behind some of them. An API that moved its call means the call.
    """
    if response.status_code not in REDIRECTIONS or not response.headers.get("Location"):
        return ""
    target = urljoin(url, response.headers.get("Location", ""))
    here, there = urlsplit(url), urlsplit(target)
    within = all(f".{parts.hostname}".endswith(SERVICE) for parts in (here, there))
    same_machine = here.hostname in LOOPBACK and here.netloc == there.netloc
    return target if there.scheme == here.scheme and (within or same_machine) else ""


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def read_error(text: str) -> tuple[str, str]:
    """Reads (code, detail) out of the four shapes that the services use."""
    try:
        body = jsonlib.loads(text)
    except (ValueError, RecursionError):
        parts = text.replace("<", "\0<").split("\0")
        return "", " ".join(" ".join(part.split(">", 1)[-1] for part in parts).split())[:300]
    if not isinstance(body, dict):
        return "", str(body)[:300]
    listed = body.get("errors")
    if isinstance(listed, list) and listed and isinstance(listed[0], dict):
        first = listed[0]
        detail = str(first.get("detail") or first.get("title") or "")
        # What the service proposes, which its own tools show too.
        proposed = first.get("resolution")
        return str(first.get("code") or ""), (
            f"{detail} {proposed}".strip() if isinstance(proposed, str) else detail
        )
    if isinstance(body.get("error"), dict):
        inner = body["error"]
        return str(inner.get("code") or ""), str(inner.get("message") or inner.get("details") or "")
    return str(body.get("error_code") or ""), str(body.get("message") or "")


def _try_again(call: Call, response: requests.Response) -> bool:
    status = response.status_code
    if status == 429:
        return True
    if status in (401, 403):
        return call.patient and call.login.plane != "Cloud"
    return status in TROUBLE and call.repeatable


def _unknown(call: Call, how: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{call.method} {call.path}: the answer was lost ({how}), so it is not known whether it was carried out.",
        "Running the same command again looks first and goes on from there.",
    )


def _elsewhere(call: Call) -> ProvisioningError:
    return errors.not_the_api(call.url) if call.repeatable else _unknown(call, "a redirection")


def _refuse_plain_text(url: str) -> None:
    """Raises ProvisioningError for http:// to another machine: keys travel in every call."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ProvisioningError(
            f"{parts.scheme}://{parts.hostname} is not encrypted; keys are sent over https:// only."
        )


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
    """Whether no connection came about."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
