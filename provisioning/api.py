"""One service of Confluent Cloud: its address, its key, and what listing, looking and deleting mean there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from provisioning import errors
from provisioning.client import Call, Client, Login
from provisioning.errors import ApiError

PAGE_SIZE = 100
DELETING_PHASES = ("DEPROVISIONING", "DELETING")
JsonObject = dict[str, Any]
T = TypeVar("T")


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

    def get_object(self, path: str, **params: str) -> JsonObject:
        """Raises NetworkError for an answer that is no object."""
        found = self.get(path, **params)
        if not isinstance(found, dict):
            raise errors.not_the_api(self.base)
        return found

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
            page = self.get_object(path, **query)
            listed = page.get("data") or []
            if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
                raise errors.not_the_api(self.base)
            yield from listed
            following = str(part(page, "metadata").get("next") or "")
            try:
                token = parse_qs(urlsplit(following).query).get("page_token", [""])[0]
            except ValueError:  # no address
                return
            if not token or token == query.get("page_token"):
                return
            query["page_token"] = token

    def find(self, path: str, **params: str) -> JsonObject | None:
        """One object, or None where it is gone. Raises ApiError where that is not certain."""
        try:
            return self.get_object(path, **params)
        except ApiError as error:
            if not error.gone or (error.hidden and not self.sees_all()):
                raise
            return None

    def remove(self, path: str, **params: str) -> None:
        """Deletes; what is gone already counts as deleted. A 403 about a thing that stands is a refusal."""
        try:
            self.delete(path, **params)
        except ApiError as error:
            if not error.gone:
                raise
            found = self.find(path, **params) if error.hidden else None
            if found is not None and part(found, "status").get("phase") not in DELETING_PHASES:
                raise

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


def part(found: JsonObject | None, name: str) -> JsonObject:
    """Gives the object in this field, or an empty one where the service leaves it out or gives null."""
    inner = (found or {}).get(name)
    return inner if isinstance(inner, dict) else {}


def present(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except ApiError as error:
        if error.gone:
            return None
        raise
