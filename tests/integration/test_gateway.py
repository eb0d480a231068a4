"""The client of the SQL gateway against Flink's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from races.flink.gateway import Gateway
from tests.flink.gateway_contract import GatewayContract

pytestmark = pytest.mark.integration


class TestRealGateway(GatewayContract):
    @pytest.fixture
    def gateway(self) -> Iterator[Gateway]:
        url = os.environ.get("F1_TEST_GATEWAY", "")
        if not url:
            pytest.skip("needs F1_TEST_GATEWAY, the address of a SQL gateway")
        gateway = Gateway(url)
        yield gateway
        gateway.close()
