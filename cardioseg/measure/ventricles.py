"""Ventricles: a labelled cine becomes volumes, ejection fractions, mass and what follows from them.

Mass = 1.05 g/mL x volume of the myocardium at end-diastole, cardiac output = SV x heart rate, index = measure / BSA.
"""

from collections.abc import Sequence
from statistics import stdev

from cardioseg.image.labels import Label
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Beat, Curve, Curves, Moments, beat
from cardioseg.measure.filling import filling_values
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.quantities import QUANTITIES, SPREADS
from cardioseg.measure.quantity import Values
from cardioseg.measure.reference_values import z_values
from cardioseg.measure.timing import covers_one_beat, rr_interval_ms

MYOCARDIUM_G_PER_ML = 1.05  # Vinnakota & Bassingthwaighte, AJP Heart 2004; the value of the SCMR guidelines
_ML_PER_L = 1000


def measure(
    heart: LabelledCine,
    moments: Moments = Moments(),  # noqa: B008 - frozen
    fold_curves_ml: Sequence[Curves] = (),
    *,
    earlier: Measures = Measures(),  # noqa: B008 - frozen
) -> Measures:
    """Measure a labelled cine.

    A single phase gives volumes and mass only, unless `moments` says what it is.

    Args:
        heart: the mask and its scan; only structures that the model has are measured.
        moments: phases that a person chose, for both ventricles.
        fold_curves_ml: the volume curves of each network of an ensemble; each finds its own ED and ES.
        earlier: an earlier measurement, whose phases stay where `moments` chooses none.

    Raises:
        UnusableError: a chosen phase is not in the cine.
    """
    moments.require_within(heart.mask.phases)
    lv, rv = _beats(heart.curves_ml, moments, earlier)
    values = _volumes(heart.curves_ml, lv, rv)
    spreads = _spreads([_volumes(fold, *_beats(fold, moments)) for fold in fold_curves_ml])
    flow = _flow(lv, heart)
    indices = _indices({**values, **flow}, heart.acquisition.bsa_m2)
    scores = z_values({**values, **indices}, heart.acquisition, is_ed_known=lv.ed_phase is not None)
    phases, sampling = _phases(lv, rv), _sampling(heart)
    values_by_key = {**values, **spreads, **flow, **indices, **scores, **phases, **sampling}
    return Measures({key: value for key, value in values_by_key.items() if value is not None})


def beat_values(lv: Beat, rv: Beat, myocardium_ml: float | None) -> Values:
    """Volumes, ejection fractions and mass.

    Args:
        lv: of the LV cavity.
        rv: of the RV cavity.
        myocardium_ml: volume of the LV myocardium at end-diastole, where that is known.
    """
    return {
        "lv_edv_ml": lv.edv_ml,
        "lv_esv_ml": lv.esv_ml,
        "lv_sv_ml": lv.sv_ml,
        "lv_ef_percent": lv.ef_percent,
        "lv_mass_g": None if myocardium_ml is None else MYOCARDIUM_G_PER_ML * myocardium_ml,
        "rv_edv_ml": rv.edv_ml,
        "rv_esv_ml": rv.esv_ml,
        "rv_sv_ml": rv.sv_ml,
        "rv_ef_percent": rv.ef_percent,
    }


def _beats(curves: Curves, moments: Moments, earlier: Measures = Measures()) -> tuple[Beat, Beat]:  # noqa: B008 - frozen
    lv, rv = (
        beat(curves.get(label, ()), moments.filled(earlier.moments(label)))
        for label in (Label.LV_CAVITY, Label.RV_CAVITY)
    )
    return lv, rv


def _volumes(curves: Curves, lv: Beat, rv: Beat) -> Values:
    return {
        **beat_values(lv, rv, _myocardium_ml(curves.get(Label.LV_MYOCARDIUM, ()), lv.ed_phase)),
        "lv_volume_ml": _only(curves.get(Label.LV_CAVITY, ()), lv),
        "rv_volume_ml": _only(curves.get(Label.RV_CAVITY, ()), rv),
    }


def _only(curve_ml: Curve, moments: Beat) -> float | None:
    return curve_ml[0] if len(curve_ml) == 1 and curve_ml[0] and moments == Beat() else None


def _myocardium_ml(curve_ml: Curve, ed_phase: int | None) -> float | None:
    phase = 0 if len(curve_ml) == 1 else ed_phase
    return (curve_ml[phase] or None) if curve_ml and phase is not None else None


def _spreads(folds: Sequence[Values]) -> Values:
    """The spread of each measure over the folds, where at least two of them have it."""
    spreads = {}
    for key, quantity in SPREADS.items():
        of_folds = [value for fold in folds if (value := fold[key]) is not None]
        if len(of_folds) > 1:
            spreads[quantity.key] = stdev(of_folds)
    return spreads


def _flow(lv: Beat, heart: LabelledCine) -> Values:
    """Heart rate; output and rates where the cine covers one beat.

    The largest volume of less than a beat need not be end-diastole; end-systole may be of another beat than it.
    """
    acquisition, times_ms = heart.acquisition, heart.mask.times_ms
    rate_bpm, interval_ms = acquisition.heart_rate_bpm, rr_interval_ms(acquisition)
    values: dict[str, float | None] = {"heart_rate_bpm": rate_bpm}
    if lv.sv_ml is not None and rate_bpm and interval_ms and covers_one_beat(acquisition, times_ms):
        values["cardiac_output_l_per_min"] = lv.sv_ml * rate_bpm / _ML_PER_L
        values |= filling_values(heart.curves_ml[Label.LV_CAVITY], times_ms, lv, interval_ms)
    return values


def _indices(values: Values, bsa_m2: float | None) -> Values:
    if bsa_m2 is None:
        return {}
    indexed = {
        quantity.key: value / bsa_m2
        for quantity in QUANTITIES.values()
        if quantity.index_of and (value := values.get(quantity.index_of)) is not None
    }
    return {"bsa_m2": bsa_m2, **indexed}


def _phases(lv: Beat, rv: Beat) -> Values:
    """The phases of both ventricles; the pictures show the LV's, or the RV's where there is no LV."""
    shown = rv if lv.ed_phase is None else lv
    return {
        "ed_phase": shown.ed_phase,
        "es_phase": shown.es_phase,
        "lv_ed_phase": lv.ed_phase,
        "lv_es_phase": lv.es_phase,
        "rv_ed_phase": rv.ed_phase,
        "rv_es_phase": rv.es_phase,
    }


def _sampling(heart: LabelledCine) -> Values:
    """How finely the scan samples the heart; a single slice has no step."""
    slices = heart.mask.grid.shape[0]
    return {
        "slice_count": slices,
        "slice_step_mm": heart.step_mm if slices > 1 else None,
        "slice_thickness_mm": heart.acquisition.slice_thickness_mm,
        "phase_count": heart.mask.phases,
    }
