"""Nothing of a person's home is sent, and no proxy is asked for this machine's own addresses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.services.registry_http import serve
from bench.services.waiting import free_port
from races.lib.http import OwnSession, spare_loopback
from races.streams.registry.client import HttpRegistry
from races.streams.registry.service import Registry

ROOT = Path(__file__).resolve().parents[2]
Heard = list[tuple[str, str | None]]  # path and Authorization


@contextmanager
def listening(heard: Heard, redirect: str = "") -> Iterator[str]:
    """A server's address. It notes who asks with which key, and answers {} or sends the client elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append((self.path, self.headers["Authorization"]))
            self.send_response(307 if redirect else 200)
            if redirect:
                self.send_header("Location", redirect)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own keys for every host here."""
    file = tmp_path / "netrc"
    file.write_text(
        "machine 127.0.0.1 login me password zq-secret\nmachine localhost login me password zq-secret\n"
    )
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("netrc")
def test_no_key_is_added() -> None:
    heard: Heard = []
    with listening(heard) as url, OwnSession() as session:
        session.get(url + "/a")
        session.get(url + "/b", headers={"Authorization": "Bearer own"})
        session.get(url + "/c", auth=("own", "key"))
    assert heard == [("/a", None), ("/b", "Bearer own"), ("/c", "Basic b3duOmtleQ==")]


@pytest.mark.usefixtures("netrc")
def test_redirect_adds_no_key() -> None:
    heard: Heard = []
    with (
        listening(heard) as there,
        listening(heard, there.replace("127.0.0.1", "localhost") + "/x") as url,
        OwnSession("own", "key") as session,
    ):
        session.get(url + "/a")
    assert heard == [("/a", "Basic b3duOmtleQ=="), ("/x", None)]


@pytest.mark.usefixtures("netrc")
def test_registry_client_adds_no_key() -> None:
    heard: Heard = []
    with listening(heard) as url:
        client = HttpRegistry(url)
        client.schema(1)
        client.close()
    assert heard and all(key is None for _, key in heard)


def test_no_proxy_names_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", "example.org, 127.0.0.1")
    monkeypatch.delenv("no_proxy", raising=False)
    spare_loopback()
    names = os.environ["NO_PROXY"].split(",")
    assert names[:2] == ["example.org", "127.0.0.1"] and "localhost" in names
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"]


def test_without_proxy_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a system's own proxy, which counts where the environment says nothing, would be left out."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    spare_loopback()
    assert "NO_PROXY" not in os.environ


@pytest.mark.parametrize(("variable", "host"), [("HTTP_PROXY", "127.0.0.1"), ("all_proxy", "localhost")])
def test_local_services_are_asked_directly(variable: str, host: str, tmp_path: Path) -> None:
    """A registry through the client and through the health check, in a process with a proxy that does not exist."""
    code = """
import django, json, os, sys
django.setup()
from races.health.schema_registry import RegistryCheck
from races.streams.config import StreamSettings
from races.streams.registry.client import HttpRegistry
url = sys.argv[1]
settings = StreamSettings(False, {"bootstrap.servers": "unused:1"}, url, topics={})
client = HttpRegistry(url)
print(json.dumps([RegistryCheck().error(settings), client.register("one-value", '"string"', "AVRO")]))
"""
    with serve(Registry()) as served:
        url = served.url.replace("127.0.0.1", host)
        environ = {"F1_VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "f1site.settings"}
        done = subprocess.run(
            [sys.executable, "-c", code, url],
            cwd=ROOT,
            env={**os.environ, **environ, variable: f"http://127.0.0.1:{free_port()}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert json.loads(done.stdout or "null") == ["", 1], done.stderr[-2000:]
