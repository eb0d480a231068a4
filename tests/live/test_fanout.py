"""What the fan-out benchmark tells, measured with a handful of sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from bench.scenarios.fanout import of_bare

NAMES = {"delivered_per_s", "expected_per_s", "p50_ms", "p99_ms", "cpu_share", "kb_per_socket"}


def test_shares_are_of_processor_time() -> None:
    cells = {"uvicorn": {8: {"per_core_s": 90}}}, {"uvicorn": {8: {"per_core_s": 100}}}
    assert of_bare({"ours": cells[0], "bare": cells[1]}) == {"uvicorn": {8: 0.9}}
    assert of_bare({"ours": cells[0]}) == {}


@pytest.mark.full
@pytest.mark.timeout(180)
def test_figures_are_nested() -> None:
    environ = os.environ | {
        "FANOUT_SOCKETS": "8",
        "FANOUT_SECONDS": "2",
        "FANOUT_VARIANTS": "ours,channel_layer,bare,websockets",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench", "fanout", "--json"],
        cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    cells = [found[v][s]["8"] for v in ("ours", "channel_layer", "bare") for s in ("daphne", "uvicorn")]
    for cell in [*cells, found["websockets"]["websockets"]["8"]]:
        assert cell.keys() >= NAMES
        assert cell["delivered_per_s"] == pytest.approx(40, abs=5)
