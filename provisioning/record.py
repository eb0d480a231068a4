"""python -m provisioning.record: a proxy that writes down what Confluent Cloud answers, with the secrets taken out.

It passes each call on as it is. In the answers the addresses of Kafka, Schema Registry and Flink are replaced by its
own, so that their exchanges pass through it as well; Kafka's own protocol does not.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import re
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from provisioning.config import DEFAULT_URL
from provisioning.standin.request_log import redacted
from races.lib.spelling import write_anywhere
from races.streams.redaction import HIDDEN, Redactor

ELSEWHERE = "/~/"  # before the host of another service, in an address of ours
SERVICE = re.compile(r"https://((?:[\w-]+\.)+confluent\.cloud(?::\d+)?)")
PASSED_ON = ("Content-Type", "Authorization", "Accept")
KEPT = ("content-type", "x-request-id", "location", "retry-after", "x-ratelimit-reset", "date")
TIMEOUT_S = (10.0, 60.0)
ABOUT = """\
A proxy between the provisioning commands and Confluent Cloud. It writes each
exchange into a file, one JSON object a line: method, path, query, body, status
and answer. Secrets are taken out: API keys' secrets, passwords, AWS keys, and
statements that hold a connection. Look through the file before you send it.

In another terminal:

  export CONFLUENT_CLOUD_URL=the address that it prints
  python manage.py provision_confluent --flink
  python manage.py confluent_status
  python manage.py teardown_confluent

Keep it running until the teardown is through: the journal and config.yaml hold
its address meanwhile."""


class Recorder:
    """Serves from a thread, as a context manager. upstream: the control plane's address."""

    def __init__(self, out: Path, upstream: str = DEFAULT_URL, port: int = 0) -> None:
        self.upstream, self._lock, self._redact = upstream.rstrip("/"), threading.Lock(), Redactor()
        self._out = os.fdopen(
            os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.count = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._out.close()

    def target(self, path: str) -> str:
        """The address that a call to us is meant for. Raises ValueError for a host that is not the service's."""
        if not path.startswith(ELSEWHERE):
            return self.upstream + path
        address = f"https://{path.removeprefix(ELSEWHERE)}"
        if not SERVICE.match(address):
            raise ValueError(address)
        return address

    def ours(self, text: str) -> str:
        """Gives the text with the service's addresses replaced by ours."""
        text = text.replace(self.upstream, self.url)
        return SERVICE.sub(lambda found: f"{self.url}{ELSEWHERE}{found[1]}", text)

    def write(self, method: str, path: str, body: bytes, answer: requests.Response, login: str) -> None:
        # Every secret that passes is hidden from here on, wherever it stands.
        with contextlib.suppress(ValueError):
            self._redact.add(base64.b64decode(login.partition(" ")[2]).decode().partition(":")[2])
        found = _decoded(answer.content)
        spec = found.get("spec") if isinstance(found, dict) else None
        if isinstance(spec, dict) and isinstance(spec.get("secret"), str):
            self._redact.add(spec["secret"])
        parts = urlsplit(path)
        exchange = {
            "method": method,
            "path": parts.path,
            "query": parts.query,
            "request": redacted(_decoded(body)),
            "status": answer.status_code,
            "headers": {name: value for name, value in answer.headers.items() if name.lower() in KEPT},
            "response": redacted(_decoded(answer.content)),
        }
        with self._lock:
            self.count += 1
            self._out.write(self._redact(json.dumps(exchange)) + "\n")
            self._out.flush()


def _decoded(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")[:2000]


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: self.headers[name] for name in PASSED_ON if self.headers.get(name)}
            try:
                answer = requests.request(
                    self.command,
                    recorder.target(self.path),
                    data=body or None,
                    headers=headers,
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                )
            except (requests.RequestException, ValueError):
                self.close_connection = True  # as a lost answer: the command looks before it repeats
                return
            recorder.write(self.command, self.path, body, answer, self.headers.get("Authorization", ""))
            text = recorder.ours(answer.text).encode()
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() in KEPT:
                    self.send_header(name, recorder.ours(value))
            if answer.status_code != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """The recording is the log."""

    return Handler


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m provisioning.record",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("recording.jsonl"), metavar="FILE")
    parser.add_argument("--port", type=int, default=8096, metavar="N", help="on 127.0.0.1 (default 8096)")
    options = parser.parse_args(arguments)
    try:
        recorder = Recorder(options.out, port=options.port)
    except OSError as error:
        sys.stderr.write(f"Port {options.port} or {options.out}: {error.strerror}.\n")
        return 2
    with recorder:
        sys.stdout.write(
            f"export CONFLUENT_CLOUD_URL={recorder.url}\n\nRecording into {options.out}; Ctrl-C ends it.\n"
        )
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stdout.write(
                f"\n{recorder.count} exchanges in {options.out}. Secrets are {HIDDEN}; look through it.\n"
            )
    return 0


if __name__ == "__main__":
    write_anywhere()
    sys.exit(main())
