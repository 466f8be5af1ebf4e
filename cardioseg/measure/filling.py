"""Filling: how fast the LV ejects and fills, from its volume over time, as quantities of a case.

The curve is smoothed with the weights 1, 2, 1 over neighbouring phases; a rate is the slope between the phases before
and after.
"""

from collections.abc import Sequence

import numpy as np

from cardioseg.image.labels import Label
from cardioseg.measure.curves import Beat, Curve
from cardioseg.measure.quantity import Quantity, Table, Values

_LV = Label.LV_CAVITY
_LEAST_PHASES = 10  # of a beat; fewer cannot show how fast it ejects

_COVERED = "; only if the phases cover one beat"


def _rate(key: str, title: str, meaning: str, code: str) -> Quantity:
    meaning = f"{meaning} of the LV cavity volume{_COVERED}"
    return Quantity(key, title, meaning, "mL/s", 0, _LV, Table.DETAILS, code=code)


FILLING_QUANTITIES = (
    _rate("lv_ejection_rate_ml_per_s", "Peak ejection rate", "fastest decrease", "DCM 122616"),
    _rate("lv_filling_rate_ml_per_s", "Peak filling rate", "fastest increase", "DCM 122618"),
    Quantity(
        "lv_time_to_es_ms",
        "Time to end-systole",
        f"time from end-diastole to the next end-systole of the LV, by the RR interval (60 000 / heart rate) where "
        f"end-diastole comes after end-systole in the file{_COVERED}",
        "ms",
        0,
        _LV,
        Table.DETAILS,
    ),
)


def filling_values(curve_ml: Curve, times_ms: Sequence[float], beat: Beat, rr_interval_ms: float) -> Values:
    """The values of `FILLING_QUANTITIES` for a cine that covers one beat.

    Args:
        curve_ml: volume of the LV cavity at each phase.
        times_ms: time of each phase.
        beat: end-diastole and end-systole.
        rr_interval_ms: the RR interval.
    """
    if len(curve_ml) < _LEAST_PHASES or beat.ed_phase is None or beat.es_phase is None:
        return {}
    order = np.argsort(times_ms)
    volumes, times = np.asarray(curve_ml)[order], np.asarray(times_ms, np.float64)[order]
    smooth = (np.roll(volumes, 1) + 2 * volumes + np.roll(volumes, -1))[1:-1] / 4
    rates = 1000 * (smooth[2:] - smooth[:-2]) / (times[3:-1] - times[1:-3])
    return {
        "lv_ejection_rate_ml_per_s": float(-rates.min()),
        "lv_filling_rate_ml_per_s": float(rates.max()),
        "lv_time_to_es_ms": float((times_ms[beat.es_phase] - times_ms[beat.ed_phase]) % rr_interval_ms),
    }
