"""Quality: why a human must look at a case before anyone uses its numbers.

Each rule gives at most one flag a structure, at the worst place, so that a person reads a screenful at most.
Plausible is far wider than normal: sick hearts must pass, mistakes must not.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.coverage import coverage_flags
from cardioseg.measure.curves import Curve, Curves, volume_curves_ml
from cardioseg.measure.shape import shape_flags
from cardioseg.measure.ventricles import VentricleMeasures

STROKE_PERCENT = 25.0  # of the larger; without a leaking valve or a shunt both ventricles eject the same volume
JUMP_PERCENT = 12.0  # of the largest volume, off the mean of the phases before and after
JUMP_PHASES = 12  # with fewer phases a beat, a healthy heart jumps as much

# Bounds of what a living patient can have; below and above lie mistakes. ACDC's 80 patients, among them heart failure
# and hypertrophy, span: LV EDV 49 to 374 mL, LV ESV 22 to 334, RV EDV 47 to 295, LV EF 10 to 82 %, RV EF 2 to 73 %,
# LV mass 34 to 272 g. Healthy adults lie well inside (Petersen et al., J Cardiovasc Magn Reson 2017;19:18).
PLAUSIBLE: Mapping[str, tuple[float, float, str]] = {
    "lv_edv_ml": (30, 500, "mL"),
    "lv_esv_ml": (5, 450, "mL"),
    "lv_ef_percent": (8, 85, "%"),
    "lv_mass_g": (25, 450, "g"),
    "rv_edv_ml": (30, 500, "mL"),
    "rv_esv_ml": (5, 450, "mL"),
    "rv_ef_percent": (8, 85, "%"),
    "lv_volume_ml": (5, 500, "mL"),
    "rv_volume_ml": (5, 500, "mL"),
    "heart_rate_bpm": (30, 200, "bpm"),
}
# Seven core laboratories differ from their consensus by 4.2 points of EF and 14.7 mL of EDV, some 10 % (Suinesiaputra
# et al., J Cardiovasc Magn Reson 2015;17:63). Networks that differ by more are no better than one of them.
FOLDS_EF_POINTS, FOLDS_EDV_PERCENT = 5.0, 10.0


def quality_flags(
    mask: Cine,
    labels: Collection[Label],
    measures: VentricleMeasures,
    acquisition: Acquisition = Acquisition(),  # noqa: B008 - frozen
) -> tuple[Flag, ...]:
    """Everything a human must look at, the scan's own flags first.

    Args:
        mask: `Label` values (phase, slice, row, column).
        labels: the structures that the model has; others have no flags.
        measures: of this mask.
        acquisition: of this scan.
    """
    curves = volume_curves_ml(mask, labels, acquisition.missing)
    return (
        *acquisition.flags,
        *_empty(curves),
        *coverage_flags(mask, labels, measures, acquisition.missing),
        *shape_flags(mask, labels, acquisition.missing),
        *_jumps(curves),
        *_strokes(measures),
        *_implausible(measures),
        *_body(acquisition),
        *_folds(measures),
    )


def _empty(curves_ml: Curves) -> Iterator[Flag]:
    for label, curve in curves_ml.items():
        gone = [phase for phase, volume_ml in enumerate(curve) if volume_ml == 0]
        if gone:
            at_all = len(gone) == len(curve)
            reason = f"the mask holds none at {'any phase' if at_all else f'{len(gone)} of {len(curve)} phases'}"
            yield Flag(f"no {label.title}", reason, None if at_all else gone[0])


def _jumps(curves_ml: Curves) -> Iterator[Flag]:
    for label, curve in curves_ml.items():
        if len(curve) >= JUMP_PHASES and all(curve):
            yield from _jump(label, curve)


def _jump(label: Label, curve_ml: Curve) -> Iterator[Flag]:
    values = np.asarray(curve_ml)
    off = 100 * np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2) / values.max()
    if off.max() > JUMP_PERCENT:
        seen = f"{off.max():.0f} % of its largest volume (bound {JUMP_PERCENT:g} %)"
        reason = f"{label.title}: off the phases before and after by {seen}"
        yield Flag("volume jump", reason, 1 + int(off.argmax()))


def _strokes(measures: VentricleMeasures) -> Iterator[Flag]:
    lv, rv = measures.lv_sv_ml, measures.rv_sv_ml
    if lv is None or rv is None:
        return
    apart = 100 * abs(lv - rv) / max(lv, rv) if max(lv, rv) > 0 else 0.0
    if apart > STROKE_PERCENT:
        reason = f"LV {lv:.0f} mL, RV {rv:.0f} mL: {apart:.0f} % apart (bound {STROKE_PERCENT:g} %)"
        yield Flag("stroke volumes differ", reason)


def _implausible(measures: VentricleMeasures) -> Iterator[Flag]:
    for name, (low, high, unit) in PLAUSIBLE.items():
        value = getattr(measures, name)
        if value is not None and not low <= value <= high:
            yield Flag("implausible value", f"{name} is {value:.0f} {unit} (bounds {low:g} to {high:g})")


def _body(acquisition: Acquisition) -> Iterator[Flag]:
    if not acquisition.is_body_plausible:
        yield Flag("implausible value", "height or weight cannot be a person's: no value is indexed to them")


def _folds(measures: VentricleMeasures) -> Iterator[Flag]:
    """The networks of the ensemble do not agree: at least one of them is wrong."""
    for side in ("lv", "rv"):
        points = getattr(measures, f"{side}_ef_sd_percent")
        edv, edv_sd = getattr(measures, f"{side}_edv_ml"), getattr(measures, f"{side}_edv_sd_ml")
        seen = []
        if points is not None and points > FOLDS_EF_POINTS:
            seen.append(f"EF by {points:.0f} points (bound {FOLDS_EF_POINTS:g})")
        if edv and edv_sd is not None and 100 * edv_sd > FOLDS_EDV_PERCENT * edv:
            seen.append(f"EDV by {100 * edv_sd / edv:.0f} % (bound {FOLDS_EDV_PERCENT:g} %)")
        if seen:
            yield Flag("folds disagree", f"{side.upper()}: the model's networks differ in {' and '.join(seen)}")
