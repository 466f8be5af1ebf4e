"""Filling: how fast the LV ejects and fills, from its volume over time, as quantities of a case.

The beat is a cycle: where the phases cover all of it, the first phase follows the last, and a rate does not depend on
the phase that comes first in the file. A rate is the slope of the cubic curve that fits the volumes of a quarter of the
beat best (Savitzky & Golay, Analytical Chemistry 1964;36:1627), at a phase or midway between two phases. No slope is
taken across a gap: a step that differs from the usual step by more than half of it, such as the part of the beat that a
prospectively gated cine leaves out. A fit beside a gap uses the phases on its side.
"""

from collections.abc import Sequence

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from cardioseg.image.labels import Label
from cardioseg.measure.curves import Beat, Curve
from cardioseg.measure.quantity import Quantity, Table, Values

Floats = NDArray[np.float64]

_LV = Label.LV_CAVITY
_LEAST_PHASES = 10  # of a beat; fewer cannot show how fast it ejects (of 10, a short peak is up to 16 % too low)
_DEGREE = 3
_LEAST_SIDE = 2  # phases on either side of a slope; a cubic curve needs four

_COVERED = "; only if the phases cover one beat"


def _rate(key: str, title: str, meaning: str, code: str) -> Quantity:
    meaning = (
        f"{meaning} of the LV cavity volume: the steepest slope of the volume curve, which is smoothed by cubic curves "
        "over a quarter of the beat (at least 4 phases); the first phase follows the last; gaps between phases are "
        f"left out{_COVERED}"
    )
    return Quantity(key, title, meaning, "mL/s", 0, _LV, Table.DETAILS, code=code)


FILLING_QUANTITIES = (
    _rate("lv_ejection_rate_ml_per_s", "Peak ejection rate", "fastest decrease", "DCM 122616"),
    _rate("lv_filling_rate_ml_per_s", "Peak filling rate", "fastest increase", "DCM 122618"),
    Quantity(
        "lv_time_to_es_ms",
        "Time to end-systole",
        "time from end-diastole to the next end-systole of the LV; if end-diastole comes later in the file, that "
        f"end-systole is one RR interval (60 000 / heart rate) after the one in the file{_COVERED}",
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
    rates = _rates(np.asarray(curve_ml)[order], np.asarray(times_ms, np.float64)[order], rr_interval_ms)
    return {
        "lv_ejection_rate_ml_per_s": 1000 * max(-rate for rate in rates) if rates else None,
        "lv_filling_rate_ml_per_s": 1000 * max(rates) if rates else None,
        "lv_time_to_es_ms": float((times_ms[beat.es_phase] - times_ms[beat.ed_phase]) % rr_interval_ms),
    }


def _rates(volumes_ml: Floats, times_ms: Floats, rr_interval_ms: float) -> list[float]:
    """The slopes of a volume curve in mL/ms; none where all steps differ from the usual one."""
    steps_ms = np.diff(times_ms, append=times_ms[0] + rr_interval_ms)
    usual_ms = float(np.median(steps_ms))
    is_joined = np.abs(steps_ms - usual_ms) < usual_ms / 2  # each phase with the next one
    rates: list[float] = []
    for phase in np.flatnonzero(is_joined).tolist():
        side = max(_LEAST_SIDE, (round(rr_interval_ms / usual_ms) + 4) // 8)  # an eighth of the beat, rounded
        near = _near(phase, is_joined, side)
        beats, phases = np.divmod(near, len(times_ms))
        half_ms = steps_ms[phase] / 2
        since_middle_ms = times_ms[phases] + beats * rr_interval_ms - times_ms[phase] - half_ms
        slope = Polynomial.fit(since_middle_ms, volumes_ml[phases], min(_DEGREE, len(near) - 1)).deriv()
        places_ms = (-half_ms, 0.0, half_ms) if len(near) == 2 * side else (0.0,)  # at the ends, noise counts more
        rates += [float(slope(place_ms)) for place_ms in places_ms]
    return rates


def _near(phase: int, is_joined: NDArray[np.bool_], side: int) -> NDArray[np.int_]:
    """Up to `side` phases to `phase`, and as many after it, without a gap; those of the next beat are counted on."""
    steps = np.arange(side)
    before, after = (
        int(np.logical_and.accumulate(is_joined[places % len(is_joined)]).sum())
        for places in (phase - steps, phase + steps)
    )
    return np.arange(phase - before + 1, phase + after + 1)
