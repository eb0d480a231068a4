import warnings
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.analytics.anomaly import AnomalyDetector, Outcome, Parameters, Series

FIELDS = {
    "team_name",
    "engine_temperature",
    "is_anomaly",
    "forecast_value",
    "lower_bound",
    "upper_bound",
    "rmse",
}


def wandering(seed: int, count: int, phi: float = 0.8, level: float = 112.0) -> list[float]:
    """An autoregressive series about a level, with a jump of some degrees now and then."""
    draw, off, readings = Random(seed), 0.0, []
    for index in range(count):
        off = phi * off + draw.gauss(0, 0.8)
        readings.append(round(level + off + (draw.uniform(3, 9) if index % 61 == 60 else 0), 1))
    return readings


def outcomes(values: list[float], **parameters: float) -> list[Outcome]:
    series = Series(Parameters(**parameters))  # type: ignore[arg-type]
    return [series.feed(value) for value in values]


def test_no_outcome_before_training() -> None:
    told = [outcome.is_anomaly is not None for outcome in outcomes(wandering(1, 40), minTrainingSize=16)]
    assert told == [False] * 16 + [True] * 24
    assert outcomes(wandering(1, 5))[-1] == Outcome(None, None, None, None, None)


def test_only_outside_the_interval_is_flagged() -> None:
    for outcome, value in zip(outcomes(wandering(2, 300)), wandering(2, 300), strict=True):
        if outcome.forecast_value is not None and outcome.lower_bound and outcome.upper_bound:
            assert outcome.lower_bound < outcome.forecast_value < outcome.upper_bound
            assert outcome.is_anomaly == (not outcome.lower_bound <= value <= outcome.upper_bound)


def test_flag_rate_follows_confidence() -> None:
    draw, off, values = Random(5), 0.0, []
    for _ in range(20_000):
        off = 0.8 * off + draw.gauss(0, 1)
        values.append(112 + off)
    flags = [outcome.is_anomaly for outcome in outcomes(values) if outcome.is_anomaly is not None]
    assert 0.008 < sum(flags) / len(flags) < 0.013


def test_confidence_widens_the_interval() -> None:
    widths = []
    for confidence in (90.0, 99.0, 99.99):
        last = outcomes(wandering(3, 100), confidencePercentage=confidence)[-1]
        assert last.upper_bound is not None and last.lower_bound is not None
        widths.append(last.upper_bound - last.lower_bound)
    assert widths == sorted(widths)
    assert widths[1] / widths[0] == pytest.approx(2.5758 / 1.6449, rel=0.001)


def test_old_values_leave_the_window() -> None:
    old, new = wandering(4, 200, level=60.0), wandering(5, 100)
    after_both = outcomes(old + new, maxTrainingSize=64)[-1]
    assert after_both.forecast_value == pytest.approx(outcomes(new, maxTrainingSize=64)[-1].forecast_value)
    assert after_both.upper_bound == pytest.approx(outcomes(new, maxTrainingSize=64)[-1].upper_bound)


@given(st.lists(st.floats(-1e6, 1e6), min_size=17, max_size=80))
def test_intervals_are_always_finite(values: list[float]) -> None:
    for outcome in outcomes(values)[16:]:
        assert outcome.lower_bound is not None and outcome.upper_bound is not None
        assert -1e9 < outcome.lower_bound < outcome.upper_bound < 1e9


def test_constant_series_then_a_move() -> None:
    results = outcomes([112.0] * 50 + [115.0])
    assert not any(result.is_anomaly for result in results[:50])
    assert results[50].is_anomaly


@pytest.mark.parametrize(
    "wrong",
    [
        {"minTrainingSize": 3},
        {"minTrainingSize": 64, "maxTrainingSize": 32},
        {"confidencePercentage": 100.0},
        {"confidencePercentage": 0.99},
        {"evalWindowSize": 0},
    ],
)
def test_senseless_parameters_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Parameters(**wrong)  # type: ignore[arg-type]


def metric(timestamp: int, reading: float) -> dict[str, object]:
    return {"team_name": "McLaren", "timestamp": timestamp, "engine_temperature": reading}


def test_keys_are_apart_repeats_ignored() -> None:
    mixed, alone = AnomalyDetector(), AnomalyDetector()
    for index, (one, other) in enumerate(zip(wandering(6, 60), wandering(7, 60, level=90.0), strict=True)):
        first = mixed.feed("r:AAA", metric(index, one))
        assert mixed.feed("r:AAA", metric(index, 999.0)) is None
        mixed.feed("r:BBB", metric(index, other))
        assert first == alone.feed("r:AAA", metric(index, one))
        assert first is not None
        assert set(first) == FIELDS


REFIT_EVERY = 5


def exact_intervals(values: list[float], first: int) -> Iterator[dict[float, tuple[float, float]]]:
    """Bounds by confidence of statsmodels' own ARIMA(1,0,0), one step ahead of each value from `first`.

    Fitted anew before every fifth value; between fits its filter goes on with those parameters.
    """
    from statsmodels.tsa.arima.model import ARIMA

    for index in range(first, len(values), REFIT_EVERY):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its optimiser, on so few points
            fit = ARIMA(values[:index], order=(1, 0, 0), concentrate_scale=True).fit(cov_type="none")
            ahead = ARIMA(values[: index + REFIT_EVERY], order=(1, 0, 0))
            # With the variance of what was known then: nothing of the values ahead goes into their bounds.
            filtered = ahead.filter([*fit.params, fit.scale], cov_type="none")
        forecast = filtered.get_prediction(index, min(index + REFIT_EVERY, len(values)) - 1)
        bounds = {level: forecast.conf_int(alpha=1 - level / 100) for level in (90.0, 99.0)}
        for step in range(len(forecast.predicted_mean)):
            yield {level: (float(its[step][0]), float(its[step][1])) for level, its in bounds.items()}


def agreement(series: list[tuple[int, float]], count: int) -> tuple[dict[float, float], Counter[float]]:
    """Share of points with equal flags by confidence, from the first that both can give; exact's anomalies."""
    agree, exact_anomalies, total = Counter[float](), Counter[float](), 0
    for seed, phi in series:
        values = wandering(seed, count, phi)
        ours = {level: outcomes(values, confidencePercentage=level)[16:] for level in (90.0, 99.0)}
        for index, bounds in enumerate(exact_intervals(values, 16)):
            total += 1
            for level, (low, high) in bounds.items():
                exact = not low <= values[16 + index] <= high
                exact_anomalies[level] += exact
                agree[level] += exact == ours[level][index].is_anomaly
    assert total == len(series) * (count - 16)
    return {level: agree[level] / total for level in (90.0, 99.0)}, exact_anomalies


def test_flags_agree_with_arima() -> None:
    agree, exact_anomalies = agreement([(11, 0.5), (12, 0.9)], 140)
    assert min(exact_anomalies.values()) >= 4, "a series without flags compares nothing"
    assert agree[99.0] >= 0.98
    assert agree[90.0] >= 0.98


@pytest.mark.full
@pytest.mark.timeout(300)
def test_flags_agree_with_arima_at_length() -> None:
    agree, exact_anomalies = agreement([(21, 0.3), (22, 0.6), (23, 0.8), (24, 0.95)], 500)
    assert min(exact_anomalies.values()) >= 20
    assert agree[99.0] >= 0.98
    assert agree[90.0] >= 0.98
