"""The first person of every test, at the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.provisioning.bench import Bench, bench


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "laptop") as found:
        yield found
