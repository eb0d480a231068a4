"""The bands of the real races: a figure outside them fails aloud, and a short sweep holds them."""

import importlib
import math
from concurrent.futures import ProcessPoolExecutor
from types import SimpleNamespace

import pytest

from bench import __main__ as bench
from bench.studies import realism
from races.sim import circuit_slugs

SWEEP = 96  # four races on each circuit
STANDARD_ERRORS = 2.5  # of that many races' mean, by which chance may leave a band


def inside() -> dict[str, dict[str, float]]:
    return {name: {"mean": (real.low + real.high) / 2} for name, real in realism.REAL.items()}


def test_a_figure_outside_its_band_is_named() -> None:
    figures = inside()
    assert realism.out_of_band(figures, {"suzuka": {"top_speed_off_percent": 2.9}}) == []
    figures["overtakes"]["mean"] = 99.0
    off = realism.out_of_band(figures, {"suzuka": {"top_speed_off_percent": 3.1}})
    assert off == ["overtakes", "top_speed_off_percent suzuka"]


def test_a_circuits_figure_is_its_own_mean() -> None:
    races: list[dict[str, float | None]] = [
        dict.fromkeys(realism.BY_CIRCUIT, float(n)) for n in range(2 * len(circuit_slugs()))
    ]
    found = realism.by_circuit(races)
    half = len(circuit_slugs())
    assert found["melbourne"]["top_speed_off_percent"] == half / 2
    assert len(found) == half


@pytest.mark.parametrize(("off", "status"), [([], 0), (["overtakes"], 1)])
def test_a_left_band_ends_with_an_error(
    off: list[str], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = SimpleNamespace(run=lambda: {"out_of_band": off})
    monkeypatch.setattr(importlib, "import_module", lambda name: module)
    assert bench.main(["realism", "--json"]) == status
    assert ("Out of band: overtakes" in capsys.readouterr().err) is bool(off)


@pytest.mark.full
def test_a_sweep_lies_within_the_real_bands() -> None:
    with ProcessPoolExecutor(realism.PROCESSES) as pool:
        races = list(pool.map(realism.job, range(SWEEP), chunksize=4))
    off = []
    for name, real in realism.REAL.items():
        values = [value for race in races if (value := race[name]) is not None]
        mean = math.fsum(values) / len(values)
        variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
        spare = STANDARD_ERRORS * math.sqrt(variance / len(values))
        if not real.low - spare <= mean <= real.high + spare:
            off.append(f"{name} {mean:.2f}")
    assert off == []
    circuits = realism.by_circuit(races)
    assert realism.out_of_band(inside(), circuits) == []
