"""Filling: rates and the time to end-systole, against a volume curve whose slope is known everywhere."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cardioseg.measure.curves import beat
from cardioseg.measure.filling import filling_values
from cardioseg.measure.quantity import Values

RR_MS = 900.0
ES_MS = 330.0  # after end-diastole, at 0 ms


def volume_ml(time_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """150 mL at end-diastole, 60 mL at end-systole; the early filling is faster than the ejection."""
    since_ed = time_ms % RR_MS
    share = (since_ed - ES_MS) / (RR_MS - ES_MS)
    early, late = (np.sin(np.pi / 2 * np.clip(part, 0, 1)) ** 2 for part in (share / 0.35, (share - 0.7) / 0.3))
    ejected = np.sin(np.pi / 2 * np.clip(since_ed / ES_MS, 0, 1)) ** 2
    return np.asarray(150 - 90 * ejected + 67.5 * early + 22.5 * late)


EJECTION = 90 * np.pi / 2 / ES_MS * 1000  # mL/s; the slope in the middle of half a cosine
FILLING = 67.5 * np.pi / 2 / (0.35 * (RR_MS - ES_MS)) * 1000


def values(curve_ml: NDArray[np.float64], times_ms: NDArray[np.float64]) -> Values:
    return filling_values(curve_ml.tolist(), times_ms.tolist(), beat(curve_ml.tolist()), RR_MS)


@pytest.mark.parametrize(
    ("beats", "first_ms", "time_to_es_ms"),
    [(1.0, 60.0, 315), (1.18, 60.0, 315.9), (1.15, 60.0, 330.75), (0.9, 110.0, 333), (0.88, 130.0, 345.6)],
)
def test_the_time_to_es_passes_the_end_of_the_cine_by_the_rr_interval(
    beats: float, first_ms: float, time_to_es_ms: float
) -> None:
    times_ms = first_ms + np.arange(20) * beats * RR_MS / 20
    curve_ml = volume_ml(times_ms)
    assert curve_ml.argmax() > curve_ml.argmin()
    assert values(curve_ml, times_ms - first_ms)["lv_time_to_es_ms"] == pytest.approx(time_to_es_ms)
