"""HTTP that sends what its caller gives, and nothing that a library finds in a person's home."""

from __future__ import annotations

import os

import requests
from requests.auth import AuthBase, HTTPBasicAuth

LOOPBACK = (
    "localhost",
    "127.0.0.1",
    "127.0.0.0/8",
    "::1",
    "[::1]",
)  # as requests, httpx and urllib each want it
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class OwnSession(requests.Session):
    """A session without ~/.netrc: requests would put what it finds there over a call's own key, redirects included.

    Proxies and certificates of the environment stay: companies need them.
    """

    def __init__(self, user: str = "", password: str = "") -> None:
        super().__init__()
        self.auth = HTTPBasicAuth(user, password) if user else _Nothing()

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Takes the key out of a redirected request for another host. Puts none in."""
        came, goes = str(response.request.url), str(prepared_request.url)
        if self.should_strip_auth(came, goes):  # type: ignore[no-untyped-call]  # requests has no types here
            prepared_request.headers.pop("Authorization", None)


class _Nothing(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def spare_loopback() -> None:
    """Sees to it that no proxy of the environment is asked for this machine's own addresses.

    For the whole process and its children, since other libraries read these variables as well. Without a proxy in the
    environment nothing is changed: a system's own settings, which count then, leave loopback out.
    """
    environ = {name.lower(): value for name, value in os.environ.items()}
    if any(environ.get(name) for name in PROXIES):
        spared = [part.strip() for part in environ.get("no_proxy", "").split(",") if part.strip()]
        if "*" not in spared:
            words = ",".join(dict.fromkeys([*spared, *LOOPBACK]))
            os.environ["NO_PROXY"] = os.environ["no_proxy"] = words
