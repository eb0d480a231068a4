"""The client against a small fake of the gateway, and against what is no gateway at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.services.registry_http import serve
from races.flink.gateway import LONGEST_WORDS, Gateway, GatewayAway, WrongVersion, refusal
from races.streams.registry.service import Registry
from tests.fakes.flink_gateway import fake_gateway, trace
from tests.flink.gateway_contract import GatewayContract


class TestFakeGateway(GatewayContract):
    @pytest.fixture
    def gateway(self) -> Iterator[Gateway]:
        with fake_gateway() as fake:
            gateway = Gateway(fake.url)
            yield gateway
            gateway.close()


def test_nobody_answers() -> None:
    with pytest.raises(GatewayAway, match=r"No SQL gateway answers at http://127.0.0.1:1\. Is Flink"):
        Gateway("http://127.0.0.1:1").version()


def test_another_service_answers() -> None:
    with serve(Registry()) as registry, pytest.raises(GatewayAway, match="is no SQL gateway of Flink"):
        Gateway(registry.url).version()


def test_older_gateway() -> None:
    with (
        fake_gateway(versions=("V1",)) as fake,
        pytest.raises(WrongVersion, match=r"speaks v1 .*Flink 1\.17"),
    ):
        Gateway(fake.url).open("old")


def test_newer_gateway() -> None:
    with fake_gateway(versions=("V4", "V5", "V6")) as fake:
        assert Gateway(fake.url).api() == "v4"


def test_place_of_an_outer_cause() -> None:
    """The place stands in the outer cause, the shorter words in the inner one."""
    found = refusal(
        trace("a.CalciteContextException: From line 2, column 3 to line 2, column 6: Column 'x' not found")
        + "\nCaused by: a.SqlValidatorException: Column 'x' not found"
    )
    assert (str(found), found.line, found.column) == ("Column 'x' not found", 2, 3)


@given(st.text(max_size=2000))
def test_any_trace_is_one_line(words: str) -> None:
    for text in (words, trace(words), f"Caused by: a.B: {words}"):
        found = str(refusal(text))
        assert found.isprintable()
        assert 0 < len(found) <= LONGEST_WORDS
