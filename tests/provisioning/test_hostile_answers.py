"""Whatever the services answer: a value of the kind that was asked for, or an error that its caller understands.

Three readers, each with its own HTTP client and a real connection: Confluent Cloud's, the schema registry's, the
language model's.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
import requests
from hypothesis import strategies as st

from provisioning.api import Api
from provisioning.client import Client, Login
from provisioning.clock import Clock
from provisioning.errors import ProvisioningError
from races.analytics.commentary.commentator import Line
from races.analytics.language_model import believed, conversation
from races.streams.errors import RegistryRefused, RegistryUnavailable, UnknownSchema
from races.streams.redaction import Redactor
from races.streams.registry.client import HttpRegistry
from races.worker.language_model import LanguageModel, NoAnswer
from tests.fakes.fuzzing import FEW, MANY, MARKUP, Counted, sweep
from tests.fakes.raw_server import RawServer, raw_server

WHAT = "hostile API answers"
WORDS = (
    "data metadata next errors error error_code message status phase id detail schema schemaType subject version",
    "compatibilityLevel spec choices content",
)
KEYS = st.sampled_from(" ".join(WORDS).split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(MARKUP),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)
DEEP = st.integers(1, 20_000).map(lambda depth: b"[" * depth)
BODIES = JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200) | DEEP
STATUS = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503]) | (
    st.integers(200, 599)
)
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "X-RateLimit-Reset", "Date", "Content-Type", "X-Request-Id", "Location", "Set-Cookie"]
    ),
    LATIN | st.sampled_from(["²", "-1", "9" * 400, "Thu, 99 Jan 99999 99:99:99 +9999", "application/json", "//["]),
    max_size=3,
)  # fmt: skip
ODD_HEADS = (
    b"HTTP/1.1 abc OK\r\n", b"HTTP/9.9 200 OK\r\n", b"HTTP/1.1\r\n", b"HTTP/1.1 99 \r\n", b"ICY 200 OK\r\n",
    b"\0\0\0\0\r\n",
    b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300,
    b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n", b"HTTP/1.1 100 Continue\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: zq, chunked\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate, br\r\n",
    b"HTTP/1.1 200 OK\r\nno header\r\n : \r\n", b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=zq\r\n",
    b"",
)  # fmt: skip
PIECES = (
    b"ffffffffffffffff\r\n{}\r\n",
    b"-1\r\n{}",
    b"zq\r\n{}",
    b"2\r\n{}\r\n",
    b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 200,
)
ZEROS = zlib.compress(b"[" + b"0," * 500_000)


def told(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status} zq",
        f"Content-Length: {len(body)}",
        *(f"{n}: {v}" for n, v in headers.items()),
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answers(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    odd = bodies | st.sampled_from([*PIECES, ZEROS])
    return st.one_of(
        st.builds(told, STATUS, HEADERS, bodies),
        st.builds(told, STATUS, HEADERS, bodies),
        st.builds(lambda head, body: head + b"\r\n" + body, st.sampled_from(ODD_HEADS), odd),
        st.binary(max_size=100),
    )


ANSWERS = answers(BODIES)


def cloud(service: RawServer, counted: Counted, at_least: int) -> None:
    def ask(case: tuple[bytes, str]) -> int:
        service.answer, how = case
        session = requests.Session()
        client = Client(Redactor(), Clock(sleep=lambda _: None), session)
        api = Api(client, service.url, Login("Kafka", "key", "secret"))
        with suppress(ProvisioningError), session:
            if how == "pages":
                assert all(isinstance(item, dict) for item in api.pages("/things"))
            elif how == "find":
                assert isinstance(api.find("/thing"), dict | None)
            elif how == "post":
                api.post("/things", {})
            else:
                getattr(api, how)("/thing")
        assert isinstance(client.service_time(), str)
        return 1

    ways = st.sampled_from(["get", "pages", "find", "post", "remove"])
    sweep(counted, WHAT, at_least, st.tuples(ANSWERS, ways), ask)


def registry(service: RawServer, counted: Counted, at_least: int) -> None:
    client = HttpRegistry(service.url)
    client._client._rest_client.max_retries = 0
    fresh = count(1)  # the client remembers what it was told of a subject or an id

    def ask(case: tuple[bytes, str]) -> int:
        service.answer, how = case
        number = next(fresh)
        with suppress(RegistryRefused, RegistryUnavailable, UnknownSchema):
            if how == "schema":
                assert all(isinstance(part, str) for part in client.schema(number))
            elif how == "lookup":
                assert isinstance(client.lookup(f"s{number}", "{}", "AVRO"), int)
            else:
                assert isinstance(client.register(f"s{number}", "{}", "AVRO", "NONE"), int)
        return 1

    sweep(counted, WHAT, at_least, st.tuples(ANSWERS, st.sampled_from(["register", "lookup", "schema"])), ask)
    client.close()


LINE = Line("Norris passes Piastri.", "info", 1, 200, "overtake", (), (("Norris", "Lando", "NOR"),), ())
COMPLETIONS = st.builds(
    lambda text: json.dumps({"choices": [{"message": {"content": text}}]}).encode(),
    st.text(max_size=200)
    | JSON
    | st.text("NorisPat <>&\"'1.", max_size=100).map("Norris {} Piastri.".format),
)


def model(service: RawServer, counted: Counted, at_least: int) -> None:
    speaker = LanguageModel(service.url, "some-model")

    def ask(answer: bytes) -> int:
        """A line that may be said is not a hostile answer."""
        service.answer, text = answer, None
        with suppress(NoAnswer):
            call = asyncio.run_coroutine_threadsafe(speaker.complete(conversation(LINE, [])), speaker.loop)
            text = believed(call.result(), LINE)
        assert text is None or (8 <= len(text) <= 120 and not set("<>\n\0") & set(text))
        return int(text is None)

    sweep(counted, WHAT, at_least, answers(BODIES | COMPLETIONS), ask, 0.8)
    speaker.close()


READERS = (cloud, registry, model)
Reader = Callable[[RawServer, Counted, int], None]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with raw_server() as found:
        yield found
        assert found.asked, "nobody asked"


@pytest.mark.parametrize("reader", READERS)
def test_hostile_answers(service: RawServer, counted: Counted, reader: Reader) -> None:
    """A hostile answer is a value or an error in words."""
    reader(service, counted, FEW // len(READERS) + 1)


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("reader", READERS)
def test_many_hostile_answers(service: RawServer, counted: Counted, reader: Reader) -> None:
    """Many hostile answers are values or errors in words."""
    reader(service, counted, MANY // len(READERS) + 1)


@pytest.mark.parametrize("where", ["\x80", "//["])
def test_redirect_to_no_address(service: RawServer, where: str) -> None:
    """A redirection to no address is told in words."""
    service.answer = told(302, {"Location": where}, b"")
    api = Api(Client(Redactor(), Clock()), service.url, Login("Cloud", "key", "secret"))
    with pytest.raises(ProvisioningError, match="not the API's JSON"):
        api.get("/thing")


class Same(requests.Session):
    """Answers every call alike."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.answer = requests.Response()
        self.answer.status_code, self.answer._content = 200, body

    def request(self, *given: Any, **more: Any) -> requests.Response:
        return self.answer


def test_list_that_points_at_itself_ends() -> None:
    """A list whose next page is itself ends."""
    body = json.dumps({"data": [{}], "metadata": {"next": "https://service.example/?page_token=a"}}).encode()
    api = Api(Client(Redactor(), Clock(), Same(body)), "https://service.example", Login("Cloud", "", ""))
    assert len(list(api.pages("/things"))) == 2
