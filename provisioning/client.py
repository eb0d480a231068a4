"""One way to call Confluent Cloud.

The retry policy, in words:

- 429 was not carried out: wait as long as the answer says (Retry-After, else X-RateLimit-Reset, else back-off) and
  send it again, whatever it was.
- Nothing was sent (no name, no route, refused): send it again.
- 500, 502, 503, 504, a lost connection or a time-out: what only reads, and what may be repeated (PUT, PATCH, DELETE),
  is sent again. A POST is not: it may have been carried out, so OutcomeUnknown goes to the caller, who looks first.
- 401 and 403 on a data plane: frontends learn of a new key one by one, so these are tried again for a short while.
- Anything else is an answer.

Back-off doubles from one second to thirty; six tries in all. Every error carries the service's request id.
"""

from __future__ import annotations

import contextlib
import json as jsonlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import requests

from provisioning import explain
from provisioning.clock import Clock
from provisioning.errors import ApiError, Failure, OutcomeUnknown, ProvisioningError
from provisioning.explain import LOOPBACK
from provisioning.retrying import asked_wait, backoff, never_sent, refused
from provisioning.scrub import Scrubber

TRIES = 6
PAGE_SIZE = 100
TIMEOUT_S = (10.0, 60.0)
GOING = ("DEPROVISIONING", "DELETING")
TROUBLE = (500, 502, 503, 504)
JsonObject = dict[str, Any]
T = TypeVar("T")


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


class Client:
    def __init__(
        self,
        scrub: Scrubber,
        clock: Clock,
        session: requests.Session | None = None,
        tries: int = TRIES,
        timeout: tuple[float, float] = TIMEOUT_S,
    ) -> None:
        self._scrub, self._clock, self._tries, self._timeout = scrub, clock, tries, timeout
        self._session = session or requests.Session()
        self._heard = ""

    def service_time(self) -> str:
        """The service's own clock, as of its last answer: a laptop's may be wrong by hours."""
        return self._heard or self._clock.stamp()

    def request(self, call: Call) -> Any:
        """The decoded JSON, None for an empty body. Raises ApiError, OutcomeUnknown, NetworkError."""
        _refuse_plain_text(call.url)
        for attempt in range(1, self._tries + 1):
            last = attempt == self._tries
            try:
                response = self._send(call)
            except requests.RequestException as error:
                self._broken(call, error, last)
                self._clock.sleep(backoff(attempt))
                continue
            except ValueError:  # requests reads where a redirection leads, followed or not
                raise _elsewhere(call) from None
            except OSError as error:  # before anything was sent: requests looks for the file first
                raise explain.certificate_file(error) from None
            self._hear(response)
            if last or not _try_again(call, response):
                break
            self._clock.sleep(asked_wait(response) or backoff(attempt))
        return self._answer(call, response)

    def _send(self, call: Call) -> requests.Response:
        return self._session.request(
            call.method,
            call.url,
            params=dict(call.params),
            data=None if call.body is None else jsonlib.dumps(call.body),
            headers={"Content-Type": call.content_type} if call.body is not None else {},
            auth=(call.login.key, call.login.secret),
            timeout=self._timeout,
            allow_redirects=False,
        )

    def _hear(self, response: requests.Response) -> None:
        date = response.headers.get("Date")
        if date:
            with contextlib.suppress(ValueError):
                self._heard = parsedate_to_datetime(date).isoformat()

    def _broken(self, call: Call, error: requests.RequestException, last: bool) -> None:
        """Returns if the call may be sent again."""
        if not call.repeatable and not never_sent(error):
            raise _unknown(call, type(error).__name__) from None
        if last or (refused(error) and urlsplit(call.url).hostname in LOOPBACK):  # a stand-in that is gone
            raise explain.network_error(error, call.url) from None

    def _answer(self, call: Call, response: requests.Response) -> Any:
        if response.status_code >= 400:
            if response.status_code in TROUBLE and not call.repeatable:
                raise _unknown(call, str(response.status_code))
            raise self._refusal(call, response)
        if response.status_code >= 300:  # the API redirects nowhere, sign-in pages do
            raise _elsewhere(call)
        if not response.content:
            return None
        try:
            return response.json()
        except (requests.exceptions.JSONDecodeError, RecursionError):
            if call.repeatable:
                raise explain.not_the_api(call.url) from None
            raise _unknown(call, "an unreadable answer") from None

    def _refusal(self, call: Call, response: requests.Response) -> ApiError:
        code, detail = read_error(response.text)
        failure = Failure(
            plane=call.login.plane,
            method=call.method,
            path=call.path,
            status=response.status_code,
            code=self._scrub(code),
            detail=self._scrub(detail),
            request_id=response.headers.get("X-Request-Id", ""),
        )
        return explain.api_error(failure)


@dataclass(frozen=True, slots=True)
class Api:
    """One service: its address and the key that it takes. patient: tries a refused data-plane key again.

    sees_all: whether the key may see whatever there is; only then a 403 means that a thing is gone.
    """

    client: Client
    base: str
    login: Login
    patient: bool = True
    sees_all: Callable[[], bool] = lambda: False

    def get(self, path: str, **params: str) -> Any:
        return self._call("GET", path, params)

    def post(
        self, path: str, body: JsonObject, *, repeatable: bool = False, content_type: str = "application/json"
    ) -> Any:
        return self._call("POST", path, {}, body, repeatable=repeatable, content_type=content_type)

    def put(self, path: str, body: JsonObject, content_type: str = "application/json") -> Any:
        return self._call("PUT", path, {}, body, content_type=content_type)

    def patch(self, path: str, body: Any, content_type: str = "application/json") -> Any:
        return self._call("PATCH", path, {}, body, content_type=content_type)

    def delete(self, path: str, **params: str) -> Any:
        return self._call("DELETE", path, params)

    def pages(self, path: str, **params: str) -> Iterator[JsonObject]:
        """Every object of a list. `metadata.next` is a whole address; only its token counts."""
        query = {**params, "page_size": str(PAGE_SIZE)}
        while True:
            page = self._object(path, query)
            listed = page.get("data") or []
            if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
                raise explain.not_the_api(self.base)
            yield from listed
            token = _next_page(page)
            if not token or token == query.get("page_token"):
                return
            query["page_token"] = token

    def find(self, path: str, **params: str) -> JsonObject | None:
        """One object, or None where it is gone. Raises ApiError where that is not certain."""
        try:
            return self._object(path, params)
        except ApiError as error:
            if not error.gone or (error.hidden and not self.sees_all()):
                raise
            return None

    def remove(self, path: str, **params: str) -> None:
        """Deletes; what is gone already counts as deleted. A 403 about a thing that stands is a refusal."""
        try:
            self.delete(path, **params)
        except ApiError as error:
            if not error.gone or (error.hidden and _stays(self.find(path, **params))):
                raise

    def _object(self, path: str, params: Mapping[str, str]) -> JsonObject:
        found = self.get(path, **params)
        if not isinstance(found, dict):
            raise explain.not_the_api(self.base)
        return found

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: Any = None,
        repeatable: bool = True,
        content_type: str = "application/json",
    ) -> Any:
        call = Call(
            method,
            self.base.rstrip("/") + path,
            self.login,
            params,
            body,
            content_type,
            repeatable,
            self.patient,
        )
        return self.client.request(call)


def _next_page(page: JsonObject) -> str:
    metadata = page.get("metadata")
    following = str(metadata.get("next") or "") if isinstance(metadata, dict) else ""
    try:
        return parse_qs(urlsplit(following).query).get("page_token", [""])[0]
    except ValueError:  # no address
        return ""


def _stays(found: JsonObject | None) -> bool:
    status = found.get("status") if found else None
    return found is not None and not (isinstance(status, dict) and status.get("phase") in GOING)


def present(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except ApiError as error:
        if error.gone:
            return None
        raise


def read_error(text: str) -> tuple[str, str]:
    """(code, detail) out of the four shapes that the services use."""
    try:
        body = jsonlib.loads(text)
    except (ValueError, RecursionError):
        return "", " ".join(_without_tags(text).split())[:300]
    if not isinstance(body, dict):
        return "", str(body)[:300]
    listed = body.get("errors")
    if isinstance(listed, list) and listed and isinstance(listed[0], dict):
        first = listed[0]
        return str(first.get("code") or ""), str(first.get("detail") or first.get("title") or "")
    if isinstance(body.get("error"), dict):
        inner = body["error"]
        return str(inner.get("code") or ""), str(inner.get("message") or inner.get("details") or "")
    return str(body.get("error_code") or ""), str(body.get("message") or "")


def _without_tags(html: str) -> str:
    parts = html.replace("<", "\0<").split("\0")
    return " ".join(part.split(">", 1)[-1] for part in parts)


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
    return explain.not_the_api(call.url) if call.repeatable else _unknown(call, "a redirection")


def _refuse_plain_text(url: str) -> None:
    """Keys travel in every call; http:// is for a stand-in on this machine only."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ProvisioningError(
            f"{parts.scheme}://{parts.hostname} is not encrypted; keys are sent over https:// only."
        )
