"""A local twin of ML_DETECT_ANOMALIES: for each key a one-step forecast with interval, a flag outside it.

It is an ARIMA(1,0,0) approximation, not Confluent's algorithm, which is not public: a regression of each
value on the one before by least squares over the newest maxTrainingSize values, kept as running sums so that
a value costs the same however long the window is. Every value is learnt, flagged ones too. docs/anomalies.md
says how far it agrees with statsmodels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

# The sensor's resolution: a series that repeats one value must not end in an interval of no width.
FLOOR_C = 0.05


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters under the names of ML_DETECT_ANOMALIES. Raises ValueError for values without a meaning."""

    minTrainingSize: int = 16
    maxTrainingSize: int = 512
    confidencePercentage: float = 99.0
    evalWindowSize: int = 5

    def __post_init__(self) -> None:
        if not 4 <= self.minTrainingSize <= self.maxTrainingSize:
            raise ValueError("minTrainingSize must be at least 4 and at most maxTrainingSize")
        if not 50 < self.confidencePercentage < 100:
            raise ValueError("confidencePercentage must lie between 50 and 100")
        if self.evalWindowSize < 1:
            raise ValueError("evalWindowSize must be at least 1")


class Outcome(NamedTuple):
    """The judgement of one value: all None until the key has been trained. `rmse` is that of the newest forecasts."""

    is_anomaly: bool | None
    forecast_value: float | None
    lower_bound: float | None
    upper_bound: float | None
    rmse: float | None


UNTRAINED = Outcome(None, None, None, None, None)


class Series:
    """The forecaster of one key."""

    __slots__ = (
        "_errors", "_half", "_largest", "_least", "_n", "_pairs", "_previous", "_shift",
        "_sx", "_sxx", "_sxy", "_sy", "_syy",
    )  # fmt: skip

    def __init__(self, parameters: Parameters) -> None:
        self._half = NormalDist().inv_cdf(0.5 + parameters.confidencePercentage / 200)
        # n values make n - 1 pairs
        self._least, self._largest = parameters.minTrainingSize - 1, parameters.maxTrainingSize - 1
        self._pairs: deque[tuple[float, float]] = deque()
        self._errors: deque[float] = deque(maxlen=parameters.evalWindowSize)
        self._previous: float | None = None
        self._shift = 0.0
        self._n = 0
        self._sx = self._sy = self._sxx = self._sxy = self._syy = 0.0

    def feed(self, value: float) -> Outcome:
        """Judges a value by those before it, then learns it."""
        previous = self._previous
        if previous is None:
            self._shift = value  # sums of small numbers lose no digits
            self._previous = 0.0
            return UNTRAINED
        value -= self._shift
        outcome = UNTRAINED
        if self._n >= self._least:
            n = self._n
            mean_x, mean_y = self._sx / n, self._sy / n
            xx, xy = self._sxx - n * mean_x * mean_x, self._sxy - n * mean_x * mean_y
            # a stationary process: without the limit a ramp would be forecast to grow without end.
            slope = max(-0.999, min(0.999, xy / xx)) if xx > 1e-9 else 0.0
            yy = self._syy - n * mean_y * mean_y
            variance = max(0.0, yy - slope * (2 * xy - slope * xx)) / (n - 2)
            forecast = mean_y + slope * (previous - mean_x)
            half = self._half * max(FLOOR_C, sqrt(variance * (1 + 1 / n)))
            error = value - forecast
            self._errors.append(error * error)
            rmse = sqrt(sum(self._errors) / len(self._errors))
            forecast += self._shift
            outcome = Outcome(abs(error) > half, forecast, forecast - half, forecast + half, rmse)
        self._learn(previous, value)
        self._previous = value
        return outcome

    def _learn(self, x: float, y: float) -> None:
        self._pairs.append((x, y))
        self._n += 1
        self._sx += x
        self._sy += y
        self._sxx += x * x
        self._sxy += x * y
        self._syy += y * y
        if self._n > self._largest:
            x, y = self._pairs.popleft()
            self._n -= 1
            self._sx -= x
            self._sy -= y
            self._sxx -= x * x
            self._sxy -= x * y
            self._syy -= y * y


class AnomalyDetector:
    """Car metrics in, records of the anomalies topic out, one forecaster for each key."""

    def __init__(self, parameters: Parameters | None = None) -> None:
        self._parameters = parameters or Parameters()
        self._series: dict[str, Series] = {}
        self._newest: dict[str, int] = {}

    def feed(self, key: str, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """The anomaly record's value for one metric; None where this key's instant has been seen.

        Its key is {"key": key, "ts": record["timestamp"]}, as Flink's GROUP-less statement writes it.
        """
        timestamp = record["timestamp"]
        if timestamp <= self._newest.get(key, -1):
            return None
        self._newest[key] = timestamp
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(self._parameters)
        reading = record["engine_temperature"]
        outcome = series.feed(reading)
        return {
            "team_name": record["team_name"],
            "engine_temperature": reading,
            "is_anomaly": outcome[0],
            "forecast_value": outcome[1],
            "lower_bound": outcome[2],
            "upper_bound": outcome[3],
            "rmse": outcome[4],
        }
