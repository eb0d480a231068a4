"""Flags and overtakes reach an address outside, in time and in order, and never the lab's own network unasked."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from races.streams.connection import Connection
from races.worker.webhook import FAILURES, TOO_OLD_S, NotPosted, Webhook, WebhookSettings, is_public, post
from tests.fakes.waiting import wait_for

NOW_MS = 1_790_000_000_000
EVENT = {"id": "race:1", "type": "yellow"}


class Receiver(ThreadingHTTPServer):
    """A lamp: it keeps what it is sent, and answers with `status` once `go_on` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken: list[dict[str, Any]] = []
        self.status, self.go_on = 204, threading.Event()
        self.location = ""
        self.go_on.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/lamp?key=secret"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.taken.append(body)
        self.server.go_on.wait(20)
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.go_on.set()
        found.shutdown()
        thread.join()


def private(receiver: Receiver, *events: str) -> WebhookSettings:
    return WebhookSettings(receiver.url, events or ("flags", "overtakes"), allow_private=True)


@contextmanager
def running(
    kafka: Connection, settings: WebhookSettings, active: Callable[[], bool] = lambda: True
) -> Iterator[Callable[..., None]]:
    """Yields a function that publishes a race control record."""
    tail = kafka.tail(["race_control"], "beginning")
    found = Webhook(settings, tail, kafka.codec, active, wall=lambda: NOW_MS / 1000)
    thread = threading.Thread(target=found.run)
    thread.start()
    publisher, number = kafka.publisher(), iter(range(1000))

    def say(kind: str, age_s: float = 0.0, **more: Any) -> None:
        at = NOW_MS - round(age_s * 1000)
        record = {
            "race_id": "race", "tick": 5, "timestamp": at, "type": kind, "driver_code": "NOR", "lap": 1,
            "message": f"{kind} <b>", "event": next(number), "other_code": "", "position": 0, "value": None,
        }  # fmt: skip
        publisher.send("race_control", "race", record | more, at)

    try:
        yield say
    finally:
        found.stop()
        thread.join(10)
        publisher.close()
    assert not thread.is_alive()


def test_events_arrive_in_order_and_only_those_asked_for(kafka: Connection, receiver: Receiver) -> None:
    with running(kafka, private(receiver, "flags")) as say:
        for kind in ("yellow", "overtake", "pit_in", "green", "chequered"):
            say(kind)
        wait_for(lambda: len(receiver.taken) == 3, "three flags")
    assert [event["type"] for event in receiver.taken] == ["yellow", "green", "chequered"]
    assert receiver.taken[0] == {
        "id": "race:0", "race_id": "race", "tick": 5, "timestamp": NOW_MS, "type": "yellow", "driver_code": "NOR",
        "other_code": "", "lap": 1, "message": "yellow <b>",
    }  # fmt: skip


def test_old_events_and_those_of_another_process_are_left_out(kafka: Connection, receiver: Receiver) -> None:
    asked, mine = [], [False]

    def active() -> bool:
        """The webhook asks it for each record that it has read."""
        asked.append(mine[0])
        return mine[0]

    with running(kafka, private(receiver), active) as say:
        say("yellow")
        wait_for(lambda: asked == [False], "the one that nobody may post has been passed over")
        mine[0] = True
        say("green", age_s=TOO_OLD_S + 1)
        say("overtake", other_code="PIA")
        wait_for(lambda: receiver.taken, "the overtake")
    assert [event["type"] for event in receiver.taken] == ["overtake"]


def test_address_that_fails_is_left_alone_and_said_once(
    kafka: Connection, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 500
    with caplog.at_level(logging.INFO), running(kafka, private(receiver)) as say:
        for _ in range(FAILURES + 5):
            say("yellow")
        wait_for(lambda: len(receiver.taken) == FAILURES, "the first posts")
        wait_for(lambda: "rests" in caplog.text, "the log says it")
    assert len(receiver.taken) == FAILURES
    assert caplog.text.count("HTTP 500") == 1
    assert "secret" not in caplog.text and "127.0.0.1" not in caplog.text


def posted(settings: WebhookSettings, time_limit_s: float = 10.0) -> str:
    """Why an event is not posted; empty where it is."""
    try:
        asyncio.run(post(settings, EVENT, time_limit_s))
    except NotPosted as error:
        return str(error)
    return ""


def test_address_that_does_not_answer_ends_at_the_limit(receiver: Receiver) -> None:
    receiver.go_on.clear()
    assert posted(private(receiver), 0.3) == "no answer within 0 s"
    assert len(receiver.taken) == 1


def test_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.location = 307, receiver.url
    assert posted(private(receiver)) == "HTTP 307"
    assert len(receiver.taken) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433"]
)
def test_own_machine_is_refused_unasked(receiver: Receiver, host: str) -> None:
    url = f"http://{host}:{receiver.server_address[1]}/"
    words = posted(WebhookSettings(url))
    assert "not public" in words or words in ("gaierror", "InvalidURL")
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700:4700::1111", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_name_is_looked_up_once_and_kept(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently a moment later leads nowhere else: the connection goes to what was looked at."""
    asked = []
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host == "lamp.example":
            asked.append(host)
            return real("127.0.0.1", port, *rest, **more)
        return real(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = f"http://lamp.example:{receiver.server_address[1]}/"
    assert posted(WebhookSettings(url, allow_private=True)) == ""
    assert asked == ["lamp.example"] and receiver.taken == [EVENT]
