"""Whatever the services answer: a value of the kind that was asked for, or an error that its caller understands.

Three readers: Confluent Cloud's, the schema registry's, the language model's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
import requests
from confluent_kafka.schema_registry.common._httpx_compat import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.client import Api, Client, Login
from provisioning.clock import Clock
from provisioning.errors import ProvisioningError
from provisioning.scrub import Scrubber
from races.analytics.commentary import Line
from races.analytics.model_commentator import believed
from races.streams.errors import RegistryRefused, RegistryUnavailable, UnknownSchema
from races.streams.registry_client import HttpRegistry
from races.worker.language_model import _content
from races.worker.limited_call import NoAnswer

Count = Callable[[str], None]
WHAT = "hostile API answers"
WORDS = (
    "data metadata next errors error error_code message status phase id detail schema schemaType subject version",
    "compatibilityLevel spec choices content",
)
KEYS = st.sampled_from(" ".join(WORDS).split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
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
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "X-RateLimit-Reset", "Date", "Content-Type", "X-Request-Id"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30)
    | st.sampled_from(["²", "-1", "9" * 400, "Thu, 99 Jan 99999 99:99:99 +9999", "application/json"]),
    max_size=3,
)
few = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
many = settings(few, max_examples=4_000)


class Hostile(requests.Session):
    """Answers every call alike."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__()
        self.answer = requests.Response()
        self.answer.status_code, self.answer._content = status, body
        self.answer.headers.update(headers)

    def request(self, *given: Any, **more: Any) -> requests.Response:
        return self.answer


def cloud(counted: Count, examples: settings) -> None:
    @examples
    @given(STATUS, HEADERS, BODIES, st.sampled_from(["get", "pages", "find", "post", "remove"]))
    def ask(status: int, headers: dict[str, str], body: bytes, how: str) -> None:
        counted(WHAT)
        client = Client(Scrubber(), Clock(sleep=lambda _: None), Hostile(status, headers, body))
        api = Api(client, "https://service.example", Login("Kafka", "key", "secret"))
        with suppress(ProvisioningError):
            if how == "pages":
                assert all(isinstance(item, dict) for item in api.pages("/things"))
            elif how == "find":
                assert isinstance(api.find("/thing"), dict | None)
            elif how == "post":
                api.post("/things", {})
            else:
                getattr(api, how)("/thing")
        assert isinstance(client.service_time(), str)

    ask()


def registry(counted: Count, examples: settings) -> None:
    client, answer = HttpRegistry("https://registry.example"), httpx.Response(200)
    rest = client._client._rest_client
    rest.max_retries = 0
    rest.session.close()
    rest.session = httpx.Client(transport=httpx.MockTransport(lambda request: answer))
    fresh = count(1)  # the client remembers what it was told of a subject or an id

    @examples
    @given(STATUS, BODIES, st.sampled_from(["register", "lookup", "schema"]))
    def ask(status: int, body: bytes, how: str) -> None:
        nonlocal answer
        counted(WHAT)
        answer, number = httpx.Response(status, content=body), next(fresh)
        with suppress(RegistryRefused, RegistryUnavailable, UnknownSchema):
            if how == "schema":
                assert all(isinstance(part, str) for part in client.schema(number))
            elif how == "lookup":
                assert isinstance(client.lookup(f"s{number}", "{}", "AVRO"), int)
            else:
                assert isinstance(client.register(f"s{number}", "{}", "AVRO", "NONE"), int)

    ask()
    client.close()


LINE = Line("Norris passes Piastri.", "info", 1, 200, "overtake", (), (("Norris", "Lando", "NOR"),), ())
COMPLETIONS = st.builds(
    lambda text: json.dumps({"choices": [{"message": {"content": text}}]}).encode(),
    st.text(max_size=200)
    | JSON
    | st.text("NorisPat <>&\"'1.", max_size=100).map("Norris {} Piastri.".format),
)


def model(counted: Count, examples: settings) -> None:
    @examples
    @given(BODIES | COMPLETIONS)
    def read(body: bytes) -> None:
        counted(WHAT)
        with suppress(NoAnswer):
            text = believed(_content(body), LINE)
            assert text is None or (8 <= len(text) <= 120 and not set("<>\n\0") & set(text))

    read()


READERS = (cloud, registry, model)


@pytest.mark.parametrize("reader", READERS)
def test_a_hostile_answer_is_a_value_or_an_error_in_words(
    counted: Count, reader: Callable[[Count, settings], None]
) -> None:
    reader(counted, few)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("reader", READERS)
def test_many_hostile_answers_are_values_or_errors_in_words(
    counted: Count, reader: Callable[[Count, settings], None]
) -> None:
    reader(counted, many)


def test_a_list_whose_next_page_is_itself_ends() -> None:
    body = json.dumps({"data": [{}], "metadata": {"next": "https://service.example/?page_token=a"}}).encode()
    api = Api(
        Client(Scrubber(), Clock(), Hostile(200, {}, body)), "https://service.example", Login("Cloud", "", "")
    )
    assert len(list(api.pages("/things"))) == 2
