"""Quality: why a human must look at a case before anyone uses its numbers.

Each rule gives at most one flag a structure, so that a person reads a screenful at most. The flag names one place, and
keeps all at which its rule is broken.
"""

from collections.abc import Iterator

import numpy as np

from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.image.plausible_ranges import BMI_KG_PER_M2
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.coverage import coverage_flags
from cardioseg.measure.curves import Curve, Curves
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.quantities import BODY, QUANTITIES, SPREADS
from cardioseg.measure.shape import shape_flags
from cardioseg.measure.synchrony import synchrony_flags
from cardioseg.measure.timing import timing_flags

STROKE_PERCENT = 25.0  # of the larger; without a leaking valve or a shunt both ventricles eject the same volume
JUMP_PERCENT = 12.0  # of the largest volume, off the mean of the phases before and after
JUMP_PHASES = 12  # with fewer phases a beat, a healthy heart jumps as much

# Seven core laboratories differ from their consensus by 4.2 points of EF and 14.7 mL of EDV, some 10 % (Suinesiaputra
# et al., J Cardiovasc Magn Reson 2015;17:63). Networks that differ by more are no better than one of them.
FOLDS_EF_POINTS, FOLDS_EDV_PERCENT = 5.0, 10.0
# SCMR recommends slices of 6 to 8 mm, 8 to 10 mm from one to the next (Kramer et al., J Cardiovasc Magn Reson
# 2020;22:17). The usual 8 mm with gaps of 2 mm leave out a fifth of the heart.
STEP_MM = 12.0
GAP_PERCENT = 25.0  # of the step
_SLIPS = {  # of units: what was taken for what, and the factor that undoes it
    "height_m": (("centimetres taken for metres", 0.01), ("metres taken for centimetres", 100.0)),
    "weight_kg": (("grams taken for kilograms", 0.001),),
}


def quality_flags(heart: LabelledCine, measures: Measures) -> tuple[Flag, ...]:
    """Everything a human must look at, the scan's own flags first.

    Args:
        heart: the mask and its scan; only structures that the model has are judged.
        measures: of this mask.
    """
    return (
        *heart.acquisition.flags,
        *_sampling(measures),
        *timing_flags(heart.acquisition, heart.mask.times_ms),
        *synchrony_flags(heart),
        *_empty(heart.curves_ml),
        *coverage_flags(heart, measures),
        *shape_flags(heart, measures),
        *_jumps(heart.curves_ml),
        *_strokes(measures),
        *_implausible(measures),
        *_body(heart.acquisition),
        *_folds(measures),
    )


def _sampling(measures: Measures) -> Iterator[Flag]:
    """Between slices the heart is guessed: a volume is their areas times the step."""
    step_mm, thickness_mm = measures["slice_step_mm"], measures["slice_thickness_mm"]
    if step_mm is None:
        return
    if round(step_mm, 1) > STEP_MM:  # positions are printed with few digits
        yield Flag("slices far apart", f"{step_mm:.1f} mm from slice to slice (limit {STEP_MM:g} mm)")
    if thickness_mm is not None and 100 * (step_mm - thickness_mm) > GAP_PERCENT * step_mm:
        spacing = f"slices of {thickness_mm:.1f} mm every {step_mm:.1f} mm"
        gap = f"gaps of {step_mm - thickness_mm:.1f} mm were not imaged (limit {GAP_PERCENT:g} % of the step)"
        yield Flag("gaps between slices", f"{spacing}: {gap}")


def _empty(curves_ml: Curves) -> Iterator[Flag]:
    for label, curve in curves_ml.items():
        gone = [phase for phase, volume_ml in enumerate(curve) if volume_ml == 0]
        if gone:
            at_all = len(gone) == len(curve)
            reason = f"the mask is empty at {'every phase' if at_all else f'{len(gone)} of {len(curve)} phases'}"
            yield Flag(f"no {label.title}", reason, None if at_all else gone[0])


def _jumps(curves_ml: Curves) -> Iterator[Flag]:
    for label, curve in curves_ml.items():
        if len(curve) >= JUMP_PHASES and all(curve):
            yield from _jump(label, curve)


def _jump(label: Label, curve_ml: Curve) -> Iterator[Flag]:
    values = np.asarray(curve_ml)
    off = 100 * np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2) / values.max()
    if off.max() > JUMP_PERCENT:
        share = f"{off.max():.0f} % of the maximum volume (limit {JUMP_PERCENT:g} %)"
        reason = f"{label.title}: differs from the neighbouring phases by {share}"
        yield Flag("volume jump", reason, 1 + int(off.argmax()))


def _strokes(measures: Measures) -> Iterator[Flag]:
    lv, rv = measures["lv_sv_ml"], measures["rv_sv_ml"]
    if lv is None or rv is None:
        return
    difference = 100 * abs(lv - rv) / max(lv, rv) if max(lv, rv) > 0 else 0.0
    if difference > STROKE_PERCENT:
        reason = f"LV {lv:.0f} mL, RV {rv:.0f} mL: they differ by {difference:.0f} % (limit {STROKE_PERCENT:g} %)"
        yield Flag("stroke volumes differ", reason)


def _implausible(measures: Measures) -> Iterator[Flag]:
    for key, quantity in QUANTITIES.items():
        value = measures[key]
        if quantity.bounds and not quantity.bounds.hold(value):
            stated = f"{key} is {value:.0f} {quantity.unit}"
            yield Flag("implausible value", f"{stated} (limits {quantity.bounds})")


def _body(acquisition: Acquisition) -> Iterator[Flag]:
    """The values themselves are not said: they are the patient's."""
    for key, quantity in BODY.items():
        bounds, value = quantity.bounds, getattr(acquisition, key)
        if bounds and not bounds.hold(value):
            slips = [slip for slip, factor in _SLIPS[key] if bounds.hold(factor * value)]
            guess = f"; were {slips[0]}?" if slips else ""
            limits = f"{key} is impossible for a person (limits {bounds} {quantity.unit})"
            yield Flag("implausible value", f"{limits}: no value is indexed by it{guess}")
            return
    if not BMI_KG_PER_M2.hold(acquisition.bmi):
        reason = f"height and weight do not belong together (limits {BMI_KG_PER_M2} kg/m2): no value is indexed by them"
        yield Flag("implausible value", reason)


def _folds(measures: Measures) -> Iterator[Flag]:
    """The networks of the ensemble do not agree: at least one of them is wrong."""
    for side, edv_key, ef_key in (("LV", "lv_edv_ml", "lv_ef_percent"), ("RV", "rv_edv_ml", "rv_ef_percent")):
        points, edv_sd = (measures[SPREADS[key].key] for key in (ef_key, edv_key))
        edv, differences = measures[edv_key], []
        if points is not None and points > FOLDS_EF_POINTS:
            differences.append(f"EF by {points:.0f} points (limit {FOLDS_EF_POINTS:g})")
        if edv and edv_sd is not None and 100 * edv_sd > FOLDS_EDV_PERCENT * edv:
            differences.append(f"EDV by {100 * edv_sd / edv:.0f} % (limit {FOLDS_EDV_PERCENT:g} %)")
        if differences:
            yield Flag("folds disagree", f"{side}: the model's networks differ in {' and '.join(differences)}")
