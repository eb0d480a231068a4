"""The language model commentator against a local server that answers well, late, wrongly or with malice."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from races.analytics.commentary.commentator import Line
from races.analytics.engine import Derived
from races.worker.language_model import AT_ONCE, FAILURES, REST_S, LanguageModel
from tests.streams.records import eventually

SAID = "Norris passes Piastri for third."
DRIVERS = (
    ("Norris", "Lando", "NOR"),
    ("Piastri", "Oscar", "PIA"),
    ("Hamilton", "Lewis", "HAM"),
    ("Pérez", "Sergio", "PER"),
)
TEAMS = (("McLaren", "McLaren"), ("Ferrari", "Ferrari"), ("Racing Bulls", "Racing Bull"))
KEY = "sk-not-to-be-seen"
Answer = Callable[[BaseHTTPRequestHandler], None]


def record(number: int = 0, text: str = SAID, race: str = "race") -> Derived:
    line = Line(text, "info", number, number * 200, "overtake", (), DRIVERS, TEAMS)
    value = {
        "id": f"{race}:{number}",
        "message": text,
        "timestamp": number * 200,
        "type": "info",
        "race_id": race,
    }
    return Derived("commentary", None, value, number * 200, line)


def says(text: object) -> Answer:
    return lambda request: send(request, json.dumps({"choices": [{"message": {"content": text}}]}).encode())


def send(request: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.asked: list[tuple[str, str | None, dict[str, object]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Authorization"], body))
        try:
            self.server.answer(self)
        except OSError:
            self.close_connection = True  # the caller has given up, as it may

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    server = Server(answer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def model(url: str, **options: object) -> Iterator[LanguageModel]:
    model = LanguageModel(url, "some-model", KEY, **options)  # type: ignore[arg-type]
    try:
        yield model
    finally:
        model.close()


def answer_of(model: LanguageModel, within: float = 5.0) -> str:
    until = time.monotonic() + within
    while time.monotonic() < until:
        ready = model.ready()
        if ready:
            return str(ready[0].value["message"])
        time.sleep(0.005)
    raise AssertionError("no line came back")


def rewritten(answer: Answer, derived: Derived | None = None) -> str:
    with serving(answer) as server, model(server.url) as commentator:
        commentator.offer(derived or record())
        return answer_of(commentator)


def test_models_words_replace_only_words() -> None:
    with (
        serving(says("Norris sends it past Piastri, and third place is his!")) as server,
        model(server.url) as m,
    ):
        original = record()
        m.offer(original)
        until = time.monotonic() + 5
        while not (ready := m.ready()):
            assert time.monotonic() < until
        path, key, asked = server.asked[0]
        assert ready[0].value == original.value | {
            "message": "Norris sends it past Piastri, and third place is his!"
        }
        assert (path, key, asked["model"]) == ("/v1/chat/completions", f"Bearer {KEY}", "some-model")
        assert SAID in json.dumps(asked["messages"])


def test_model_gets_the_lines_before() -> None:
    with (
        serving(says("Piastri has to let Norris through to third.")) as server,
        model(server.url) as commentator,
    ):
        commentator.offer(record(1))
        first = answer_of(commentator)
        commentator.offer(record(2, "Hamilton has pitted."))
        answer_of(commentator)
        assert first in json.dumps(server.asked[1][2]["messages"])


@pytest.mark.parametrize(
    "answer",
    [
        "<script>alert(1)</script> Norris passes Piastri",
        "See https://evil.example, Norris passes Piastri",
        "Norris passes Hamilton for third.",
        "Norris passes Piastri for second.",
        "Norris passes Piastri on lap 7.",
        "Norris passes Piastri, two seconds clear.",
        "Norris passes Piastri on lap fifteen.",
        "Norris passes Piastri, up from eleventh.",
        "Norris passes Piastri, half a minute to go.",
        "Norris passes Piastri, a dozen laps to go.",
        "Norris passes Piastri, a hundred metres late.",
        "Norris passes Piastri by hundredths.",
        "Norris passes Piastri a couple of laps in.",
        "Norris passes Piastri on lap ½ or so.",
        "Norris passes Piastri on lap 𝟗!",
        "Norris passes the Ferrari of Piastri.",
        "Norris passes Piastri and two Ferraris.",
        "Norris passes a Racing Bull, then Piastri.",
        "Norris passes Piastri, and Lewis watches.",
        "Norris passes Piastri, HAM is next.",
        "Norris passes Perez and Piastri.",
        "Norris passes Piastri and Нamilton.",
        "**Norris** passes `Piastri`",
        "Norris! " * 40,
        "",
        "ok",
        None,
        {"text": SAID},
        ["Norris"],
    ],
)
def test_unbelievable_answer_leaves_the_built_in_line(answer: object) -> None:
    assert rewritten(says(answer)) == SAID


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("Norris\n\tgets\r\nPiastri\x00\x1b for third!", "Norris gets Piastri for third!"),
        ("“Norris is past Piastri.”", "Norris is past Piastri."),
        ("Norris \u202ereverses\u202c past Piastri\u200b!", "Norris reverses past Piastri!"),
        ("Norris passes Piastri 🏎️🔥", "Norris passes Piastri"),
        ("norris by PIASTRI, third it is", "norris by PIASTRI, third it is"),
        ("Lando Norris past Oscar Piastri, by seconds!", "Lando Norris past Oscar Piastri, by seconds!"),
        ("At first per lap, then at once: Norris is by.", "At first per lap, then at once: Norris is by."),
    ],
)
def test_an_answer_becomes_one_plain_line(answer: str, line: str) -> None:
    assert rewritten(says(answer)).replace("\ufe0f", "").strip() == line


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: send(request, b"no", 500),
        lambda request: send(request, b"slow down", 429),
        lambda request: send(request, b"not json"),
        lambda request: send(request, b"[" * 50_000),
        lambda request: send(request, b'{"choices": []}'),
        lambda request: send(request, b"\xff\xfe\x00"),
        lambda request: request.connection.close(),
        lambda request: send(request, b" " * 1_000_000),
    ],
)
def test_a_broken_answer_leaves_the_built_in_line(answer: Answer) -> None:
    assert rewritten(answer) == SAID


def test_the_key_is_not_carried_to_another_address() -> None:
    with serving(says("Norris is past Piastri!")) as elsewhere:

        def redirect(request: BaseHTTPRequestHandler) -> None:
            request.send_response(307)
            request.send_header("Location", elsewhere.url)
            request.send_header("Content-Length", "0")
            request.end_headers()

        assert rewritten(redirect) == SAID
        assert elsewhere.asked == []


DRIPS = {
    "nothing": (b"", b""),
    "status": (b"", b"H"),
    "headers": (b"HTTP/1.0 200 OK\r\nX-Long: ", b"x"),
    "body": (b"HTTP/1.0 200 OK\r\n\r\n", b" "),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


@pytest.mark.parametrize("part", DRIPS)
def test_an_answer_that_drips_is_neither_waited_for_nor_kept(part: str) -> None:
    finish, gone = Event(), Event()
    head, drop = DRIPS[part]

    def slowly(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(head)
        try:
            while not finish.wait(0.02):
                request.wfile.write(drop)
                request.connection.settimeout(0.001)
                with suppress(TimeoutError):
                    if not request.connection.recv(1):
                        break
        finally:
            gone.set()

    now = [0.0]
    with serving(slowly) as server, model(server.url, time_limit_s=60.0, clock=lambda: now[0]) as commentator:
        commentator.offer(record())
        eventually("the model is asked", lambda: bool(server.asked))
        assert commentator.ready() == []
        now[0] = 61.0
        assert [derived.value["message"] for derived in commentator.ready()] == [SAID]
        eventually("the call has ended", lambda: not commentator.calls)
        assert gone.wait(5)
        finish.set()


def test_a_model_that_is_closed_keeps_no_call() -> None:
    finish = Event()

    def silent(request: BaseHTTPRequestHandler) -> None:
        finish.wait(20)

    with serving(silent) as server:
        commentator = LanguageModel(server.url, "some-model", time_limit_s=60.0)
        commentator.offer(record())
        eventually("the model is asked", lambda: bool(server.asked))
        commentator.close()
        eventually("the call has ended", lambda: not commentator.calls)
        finish.set()


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://127.0.0.1:9/v1", "sk-…"),
        ("http://127.0.0.1:9/v1", "sk-\r\nX-Evil: 1"),
        ("http://a..b/v1", KEY),
        ("http://" + "a" * 70 + ".example/v1", KEY),
        ("http://[::1/v1", KEY),
        ("http://127.0.0.1:99999/v1", KEY),
        ("nowhere", KEY),
        ("ftp://127.0.0.1/v1", KEY),
    ],
)
def test_unusable_key_leaves_the_built_in_line(url: str, key: str, caplog: pytest.LogCaptureFixture) -> None:
    commentator = LanguageModel(url, "some-model", key)
    with caplog.at_level(logging.DEBUG, logger="races"):
        for number in range(FAILURES):
            commentator.offer(record(number))
            assert answer_of(commentator) == SAID
    commentator.close()
    assert len(caplog.records) == 1
    assert key not in caplog.text


def test_lines_beyond_the_limit_of_calls() -> None:
    finish = Event()

    def wait(request: BaseHTTPRequestHandler) -> None:
        finish.wait(5)
        says("Norris is past Piastri!")(request)

    with serving(wait) as server, model(server.url, time_limit_s=4.0) as commentator:
        for number in range(AT_ONCE + 2):
            commentator.offer(record(number, race=f"race {number}"))
        assert [derived.value["message"] for derived in commentator.ready()] == [SAID, SAID]
        finish.set()
        assert answer_of(commentator) == "Norris is past Piastri!"


def test_dead_address_rests_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    with (
        serving(lambda request: send(request, b"", 503)) as server,
        model(server.url, clock=lambda: now[0]) as m,
    ):
        with caplog.at_level(logging.DEBUG, logger="races"):
            for number in range(FAILURES + 5):
                m.offer(record(number))
                assert answer_of(m) == SAID
        assert len(server.asked) == FAILURES
        assert len(caplog.records) == 1
        assert KEY not in caplog.text
        now[0] = REST_S + 1
        m.offer(record(99))
        answer_of(m)
        assert len(server.asked) == FAILURES + 1


def test_nobody_at_the_address_leaves_the_built_in_line() -> None:
    with serving(says("unused")) as server:
        url = server.url
    with model(url) as commentator:
        commentator.offer(record())
        assert answer_of(commentator) == SAID


def test_a_sentence_that_the_model_says_twice_is_said_once() -> None:
    with serving(says("Norris is past Piastri, third!")) as server, model(server.url) as commentator:
        commentator.offer(record(1))
        assert answer_of(commentator) == "Norris is past Piastri, third!"
        commentator.offer(record(2, "Third for Norris, past Piastri."))
        assert answer_of(commentator) == "Third for Norris, past Piastri."
        commentator.offer(record(3, race="another"))
        assert answer_of(commentator) == "Norris is past Piastri, third!"


def test_a_proxy_that_is_no_address_leaves_the_built_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://proxy")
    with serving(says("unused")) as server, model(server.url) as commentator:
        commentator.offer(record())
        assert answer_of(commentator) == SAID
