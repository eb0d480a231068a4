"""The addresses that a lab prints are the ones that it answers, for pages and for sockets."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from f1site.hosts import SameOriginValidator, learn_own_address
from races.lab import addresses

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> list[str]:
    """The names that are allowed. The tests' own runner adds one, which is no matter here."""
    settings.ALLOWED_HOSTS = [*LOOPBACK]
    found: list[str] = settings.ALLOWED_HOSTS
    return found


def scope(host: str, server: str) -> dict[str, Any]:
    return {"type": "http", "headers": [(b"host", host.encode())], "server": (server, 8000)}


@pytest.mark.parametrize(
    ("host", "server", "learnt"),
    [
        ("192.168.5.2:8000", "192.168.5.2", "192.168.5.2"),
        ("127.0.0.2", "127.0.0.2", "127.0.0.2"),
        ("[fd00::2]:8000", "fd00::2", "[fd00::2]"),
        ("[fe80::1]", "fe80::1%eth0", "[fe80::1]"),
        ("100.64.0.9:8000", "::ffff:100.64.0.9", "100.64.0.9"),
    ],
)
def test_address_of_this_machine_is_learnt(host: str, server: str, learnt: str, hosts: list[str]) -> None:
    learn_own_address(scope(host, server))
    learn_own_address(scope(host, server))
    assert hosts == [*LOOPBACK, learnt]


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("evil.example", "192.168.5.2"),
        ("192.168.5.3", "192.168.5.2"),
        ("192.168.5.2.evil.example", "192.168.5.2"),
        ("[fd00:0:0::2]", "fd00::2"),  # browsers write one form; others would fill the list
        ("3232236802", "192.168.5.2"),
        ("192.168.5.2", "/run/lab.sock"),
        ("", "192.168.5.2"),
        ("[::1", "::1"),
    ],
)
def test_nothing_else_is_learnt(host: str, server: str, hosts: list[str]) -> None:
    """A stranger's name may point here, and must not make its pages this site's own."""
    learn_own_address(scope(host, server))
    assert hosts == LOOPBACK


def test_no_host_and_no_server(hosts: list[str]) -> None:
    learn_own_address({"type": "http", "headers": []})
    learn_own_address({"type": "http", "headers": [(b"host", b"192.168.5.2")], "server": None})
    assert hosts == LOOPBACK


async def opened(origin: str | None) -> bool:
    """Whether a page of that origin, or a program that names none, may open a socket."""
    passed: list[bool] = []

    async def page(*args: object) -> None:
        passed.append(True)

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None: ...

    headers = [] if origin is None else [(b"origin", origin.encode())]
    asking = {"type": "websocket", "path": "/", "headers": headers}
    with_end = SameOriginValidator(page)(asking, receive, send)
    with suppress(TimeoutError):  # a denied socket waits to be closed
        await asyncio.wait_for(with_end, 0.2)
    return bool(passed)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("origin", "trusted", "may"),
    [
        ("http://localhost:8000", [], True),
        ("http://[::1]:8000", [], True),
        ("https://name-8000.app.github.dev", [], False),
        ("https://name-8000.app.github.dev", ["https://name-8000.app.github.dev"], True),
        ("https://other-8000.app.github.dev", ["https://name-8000.app.github.dev"], False),
        ("http://name-8000.app.github.dev", ["https://name-8000.app.github.dev"], False),
        ("https://a.lab.example", ["https://*.lab.example"], True),
        ("https://lab.example.evil", ["https://*.lab.example"], False),
    ],
)
def test_trusted_origins_open_sockets(origin: str, trusted: list[str], may: bool, settings: Any) -> None:
    """What is trusted with forms is trusted with sockets: else Start works, and the page never connects."""
    settings.CSRF_TRUSTED_ORIGINS = trusted
    assert asyncio.run(opened(origin)) is may


@pytest.mark.django_db
@pytest.mark.parametrize("origin", ["https://name-8000.app.github.dev", "null", "file://"])
def test_refused_socket_is_logged(origin: str, caplog: pytest.LogCaptureFixture) -> None:
    """A page in a sandbox says "null", one in an app's web view "file://"."""
    with caplog.at_level(logging.WARNING):
        asyncio.run(opened(origin))
    assert repr(origin) in caplog.text and "DJANGO_CSRF_TRUSTED_ORIGINS" in caplog.text


@pytest.mark.django_db
def test_a_socket_without_an_origin_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Browsers always name one. A script that opens sockets hears nothing but 403, so the log has to say why."""
    with caplog.at_level(logging.WARNING):
        assert not asyncio.run(opened(None))
    assert "sends no Origin at all" in caplog.text


@pytest.mark.django_db
def test_refused_form_says_what_to_set() -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/", headers={"host": "localhost"})
    token = client.cookies["csrftoken"].value
    origin = "https://name-8000.app.github.dev"
    fields = {"driver": "NOR", "csrfmiddlewaretoken": token}
    answer = client.post("/races/", fields, headers={"host": "localhost", "origin": origin})
    assert answer.status_code == 403
    assert f"DJANGO_CSRF_TRUSTED_ORIGINS={origin}" in answer.content.decode()
    without = Client(enforce_csrf_checks=True).post("/races/", fields, headers={"host": "localhost"})
    assert (without.status_code, "cookies" in without.content.decode()) == (403, True)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("fd00::2", "http://[fd00::2]:8000"),
        ("192.168.5.2", "http://192.168.5.2:8000"),
    ],
)
def test_printed_address(host: str, url: str) -> None:
    assert addresses.local_address(host, 8000) == url


def test_one_address_is_the_rooms() -> None:
    """A lab that listens on one card only is not to be found on another."""
    assert addresses.room_addresses("192.168.5.2", 8000) == ["http://192.168.5.2:8000"]
    for address in addresses.room_addresses("0.0.0.0", 8000):
        assert not address.startswith("http://127.")


def test_own_names_include_the_local_networks() -> None:
    name = socket.gethostname().partition(".")[0].lower()
    assert f"{name}.local" in addresses.own_names()


def test_codespace_is_known() -> None:
    environ = {"CODESPACE_NAME": "name", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.github.dev"}
    assert addresses.forwarded_origin(environ, 8314) == "https://name-8314.app.github.dev"
    assert addresses.forwarded_origin({"CODESPACE_NAME": "name"}, 8314) == ""


def test_two_labs_keep_their_cookies(tmp_path: Any) -> None:
    """Cookies know no ports. Each lab has its own key, and after that its own cookies' names."""
    names = set()
    for key in ("one lab's key", "another lab's key"):
        code = "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.VISITOR_COOKIE_NAME)"
        environ = {
            "DJANGO_SETTINGS_MODULE": "f1site.settings",
            "DJANGO_SECRET_KEY": key,
            "F1_VAR_DIR": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        names |= set(done.stdout.split())
    assert len(names) == 4
