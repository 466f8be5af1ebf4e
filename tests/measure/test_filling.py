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


def rates(curve_ml: NDArray[np.float64], times_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ejection and filling rate as parts of the true ones."""
    found = values(curve_ml, times_ms)
    return np.array([found["lv_ejection_rate_ml_per_s"], found["lv_filling_rate_ml_per_s"]]) / [EJECTION, FILLING]


@pytest.mark.parametrize(
    ("phases", "limits"), [(12, (0.03, 0.1)), (20, (0.01, 0.065)), (25, (0.01, 0.03)), (30, (0.01, 0.04))]
)
def test_peak_rates_are_the_slopes_of_the_curve(phases: int, limits: tuple[float, float]) -> None:
    times_ms = np.arange(phases) * RR_MS / phases
    found = np.array([rates(volume_ml(times_ms + start_ms), times_ms) for start_ms in np.linspace(0, RR_MS, 37)])
    assert (np.abs(found - 1) < limits).all()


def test_noise_changes_peak_rates_little() -> None:
    rng, times_ms = np.random.default_rng(1), np.arange(25) * RR_MS / 25
    found = np.array([rates(volume_ml(times_ms) + rng.normal(0, 1, 25), times_ms) for _ in range(40)])
    assert found.mean(0) == pytest.approx([1, 1], abs=0.04)
    assert (found.std(0) < 0.05).all()


@pytest.mark.parametrize("jitter_ms", [0.0, 8.0])
def test_rates_do_not_depend_on_the_phase_that_comes_first(jitter_ms: float) -> None:
    rng = np.random.default_rng(2)
    times_ms = np.arange(20) * RR_MS / 20 + rng.uniform(-jitter_ms, jitter_ms, 20)
    curve_ml = volume_ml(times_ms) + rng.normal(0, 2, 20)
    for start in range(20):
        rolled_ms = np.roll(times_ms, -start) - times_ms[start]
        assert rates(np.roll(curve_ml, -start), rolled_ms % RR_MS) == pytest.approx(rates(curve_ml, times_ms))


@pytest.mark.parametrize("beats", [0.8, 0.85, 0.9, 0.95, 1.05, 1.2])
def test_rates_of_a_cine_that_leaves_out_or_repeats_a_part_of_the_beat(beats: float) -> None:
    times_ms = np.arange(25) * beats * RR_MS / 25
    for first_ms in (0.0, 60.0):
        assert rates(volume_ml(times_ms + first_ms), times_ms) == pytest.approx([1, 1], abs=0.05)


def test_no_slope_crosses_a_gap() -> None:
    times_ms = np.delete(np.arange(25) * RR_MS / 25, [11, 12, 13])
    curve_ml = 150 - (times_ms - 440) % RR_MS / 10  # falls everywhere except in the gap
    assert rates(curve_ml, times_ms) == pytest.approx([100 / EJECTION, -100 / FILLING])


def test_phases_beside_a_gap_count() -> None:
    times_ms = np.arange(20) * 0.85 * RR_MS / 20
    found = rates(np.where(times_ms == 0, 150.0, 100.0), times_ms)
    assert found[0] * EJECTION > 0.9 * 1000 * 50 / times_ms[1]


def test_times_without_a_usual_step_have_no_rates() -> None:
    times_ms = np.cumsum(np.tile([20.0, 70.0], 10)) - 20
    assert values(volume_ml(times_ms), times_ms)["lv_filling_rate_ml_per_s"] is None
