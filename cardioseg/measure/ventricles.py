"""Ventricles: a mask cine becomes volumes, ejection fractions and mass.

SV = EDV - ESV, EF = 100 SV / EDV, mass = 1.05 g/mL x volume of the myocardium at end-diastole, cardiac output = SV x
heart rate, index = measure / BSA.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import stdev
from typing import Any

from cardioseg.image.labels import Label
from cardioseg.image.plausible_ranges import is_plausible
from cardioseg.image.volume import Cine
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.curves import Beat, Curve, Curves, Moments, beat, volume_curves_ml

MYOCARDIUM_G_PER_ML = 1.05  # Vinnakota & Bassingthwaighte, AJP Heart 2004; the value of the SCMR guidelines
_DIGITS = 2  # 0.01 mL is less than one voxel
_ML_PER_L, _MS_PER_MINUTE = 1000, 60_000
_COVERED = 0.8  # of the beat; prospectively gated cines leave out its last tenth or two
_INDEXED = ("edv_ml", "esv_ml", "_sv_ml", "mass_g")


@dataclass(frozen=True)
class VentricleMeasures:
    """What the masks of one case say, and how the scan samples the heart; None is "not known", never a disguised zero.

    Attributes:
        lv_edv_ml: LV cavity at its end-diastole: its largest volume, or at the phase that was chosen.
        lv_esv_ml: LV cavity at its end-systole, likewise.
        lv_sv_ml: stroke volume.
        lv_ef_percent: ejection fraction.
        lv_mass_g: myocardium at the LV's end-diastole.
        rv_edv_ml: RV cavity at its own end-diastole; `rv_esv_ml`, `rv_sv_ml` and `rv_ef_percent` likewise.
        ed_phase: 0-based phase of the LV's end-diastole, or of the RV's where there is no LV: for pictures.
        es_phase: 0-based phase of the same ventricle's end-systole.
        lv_ed_phase: 0-based phase of the LV's end-diastole; `lv_es_phase`, `rv_ed_phase`, `rv_es_phase` likewise.
        lv_volume_ml: LV cavity of a single phase, which nothing says to be end-diastole or end-systole.
        rv_volume_ml: RV cavity of a single phase.
        heart_rate_bpm: during the scan.
        cardiac_output_l_per_min: of the LV, where the rate is plausible and the times of the phases cover the beat.
        bsa_m2: body surface area.
        lv_edv_index_ml_per_m2: LV EDV / BSA; the other `_index_` measures likewise.
        lv_edv_sd_ml: sample standard deviation of the LV EDV over the networks of an ensemble; the other `_sd_`
            measures likewise.
        slice_count: slices of the stack, those without an image among them.
        slice_step_mm: distance from slice to slice; None of a single slice.
        slice_thickness_mm: where DICOM gives it.
        phase_count: phases of the cine.
    """

    lv_edv_ml: float | None = None
    lv_esv_ml: float | None = None
    lv_sv_ml: float | None = None
    lv_ef_percent: float | None = None
    lv_mass_g: float | None = None
    rv_edv_ml: float | None = None
    rv_esv_ml: float | None = None
    rv_sv_ml: float | None = None
    rv_ef_percent: float | None = None
    ed_phase: int | None = None
    es_phase: int | None = None
    lv_ed_phase: int | None = None
    lv_es_phase: int | None = None
    rv_ed_phase: int | None = None
    rv_es_phase: int | None = None
    lv_volume_ml: float | None = None
    rv_volume_ml: float | None = None
    heart_rate_bpm: float | None = None
    cardiac_output_l_per_min: float | None = None
    bsa_m2: float | None = None
    lv_edv_index_ml_per_m2: float | None = None
    lv_esv_index_ml_per_m2: float | None = None
    lv_sv_index_ml_per_m2: float | None = None
    lv_mass_index_g_per_m2: float | None = None
    rv_edv_index_ml_per_m2: float | None = None
    rv_esv_index_ml_per_m2: float | None = None
    rv_sv_index_ml_per_m2: float | None = None
    cardiac_index_l_per_min_per_m2: float | None = None
    lv_edv_sd_ml: float | None = None
    lv_esv_sd_ml: float | None = None
    lv_sv_sd_ml: float | None = None
    lv_ef_sd_percent: float | None = None
    lv_mass_sd_g: float | None = None
    rv_edv_sd_ml: float | None = None
    rv_esv_sd_ml: float | None = None
    rv_sv_sd_ml: float | None = None
    rv_ef_sd_percent: float | None = None
    slice_count: int | None = None
    slice_step_mm: float | None = None
    slice_thickness_mm: float | None = None
    phase_count: int | None = None

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The names of the measures, in the order of a CSV row."""
        return tuple(field.name for field in fields(cls))

    def moments_of(self, label: Label) -> tuple[int, ...]:
        """End-diastole and end-systole of the ventricle that a structure belongs to, as far as they are known."""
        phases = (
            (self.rv_ed_phase, self.rv_es_phase) if label is Label.RV_CAVITY else (self.lv_ed_phase, self.lv_es_phase)
        )
        return tuple(phase for phase in phases if phase is not None)

    def as_row(self) -> dict[str, float | int | None]:
        """The measures by name, rounded to 0.01; None is an empty cell."""
        return {
            name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in asdict(self).items()
        }


def measure(
    mask: Cine,
    labels: Collection[Label],
    acquisition: Acquisition = Acquisition(),  # noqa: B008 - frozen
    moments: Moments = Moments(),  # noqa: B008 - frozen
    fold_curves_ml: Sequence[Curves] = (),
    *,
    earlier: Mapping[Label, Moments] | None = None,
) -> VentricleMeasures:
    """Measure a mask cine.

    A single phase gives volumes and mass only, unless `moments` says what it is.

    Args:
        mask: `Label` values (phase, slice, row, column).
        labels: what the model segments; measures of other labels are None.
        acquisition: body, heart rate and missing slices.
        moments: phases that a person chose, for both ventricles.
        fold_curves_ml: the volume curves of each network of an ensemble; each finds its own ED and ES.
        earlier: phases of an earlier measurement, by cavity, which stay where `moments` chooses none.

    Raises:
        UnusableError: a chosen phase is not in the cine.
    """
    moments.require_within(mask.phases)
    curves = volume_curves_ml(mask, labels, acquisition.missing)
    lv, rv = _beats(curves, moments, earlier)
    timing = rv if lv.ed_phase is None else lv
    values: dict[str, Any] = _values(curves, lv, rv)
    values |= _errors([_values(fold, *_beats(fold, moments)) for fold in fold_curves_ml])
    values |= _flow(lv, acquisition.heart_rate_bpm, mask.times_ms)
    values |= _indices(values, acquisition.bsa_m2)
    values |= _sampling(mask, acquisition)
    return VentricleMeasures(
        **values,
        ed_phase=timing.ed_phase,
        es_phase=timing.es_phase,
        lv_ed_phase=lv.ed_phase,
        lv_es_phase=lv.es_phase,
        rv_ed_phase=rv.ed_phase,
        rv_es_phase=rv.es_phase,
    )


def _beats(curves: Curves, moments: Moments, earlier: Mapping[Label, Moments] | None = None) -> tuple[Beat, Beat]:
    lv, rv = (
        beat(curves.get(label, ()), moments.filled((earlier or {}).get(label, Moments())))
        for label in (Label.LV_CAVITY, Label.RV_CAVITY)
    )
    return lv, rv


def _values(curves: Curves, lv: Beat, rv: Beat) -> dict[str, float | None]:
    return {
        "lv_edv_ml": lv.edv_ml,
        "lv_esv_ml": lv.esv_ml,
        "lv_sv_ml": lv.sv_ml,
        "lv_ef_percent": lv.ef_percent,
        "lv_mass_g": _mass_g(curves.get(Label.LV_MYOCARDIUM, ()), lv.ed_phase),
        "rv_edv_ml": rv.edv_ml,
        "rv_esv_ml": rv.esv_ml,
        "rv_sv_ml": rv.sv_ml,
        "rv_ef_percent": rv.ef_percent,
        "lv_volume_ml": _only(curves.get(Label.LV_CAVITY, ()), lv),
        "rv_volume_ml": _only(curves.get(Label.RV_CAVITY, ()), rv),
    }


def _only(curve_ml: Curve, found: Beat) -> float | None:
    return curve_ml[0] if len(curve_ml) == 1 and curve_ml[0] and found == Beat() else None


def _mass_g(curve_ml: Curve, ed_phase: int | None) -> float | None:
    phase = 0 if len(curve_ml) == 1 else ed_phase
    return None if not curve_ml or phase is None or curve_ml[phase] == 0 else MYOCARDIUM_G_PER_ML * curve_ml[phase]


def _errors(folds: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """The spread of each measure over the folds, where at least two of them have it."""
    spreads: dict[str, float | None] = {}
    for name in folds[0] if folds else ():
        known = [value for fold in folds if (value := fold[name]) is not None]
        if "volume" not in name and len(known) > 1:
            spreads[_inserted(name, "sd")] = stdev(known)
    return spreads


def _flow(lv: Beat, heart_rate_bpm: float | None, times_ms: Sequence[float]) -> dict[str, float | None]:
    """Heart rate, and output where the cine covers the beat: else its largest volume need not be end-diastole."""
    output = None
    rate_bpm = heart_rate_bpm if is_plausible("heart_rate_bpm", heart_rate_bpm) else None
    if lv.sv_ml is not None and rate_bpm and len(times_ms) > 1:
        covered_ms = (max(times_ms) - min(times_ms)) * len(times_ms) / (len(times_ms) - 1)
        if covered_ms * rate_bpm / _MS_PER_MINUTE >= _COVERED:
            output = lv.sv_ml * rate_bpm / _ML_PER_L
    return {"heart_rate_bpm": heart_rate_bpm, "cardiac_output_l_per_min": output}


def _sampling(mask: Cine, acquisition: Acquisition) -> dict[str, float | None]:
    """How finely the scan samples the heart; a single slice has no step."""
    slices, step_mm = mask.grid.shape[0], mask.grid.spacing_mm[0]
    return {
        "slice_count": slices,
        "slice_step_mm": step_mm if slices > 1 else None,
        "slice_thickness_mm": acquisition.slice_thickness_mm,
        "phase_count": mask.phases,
    }


def _indices(values: Mapping[str, float | None], bsa_m2: float | None) -> dict[str, float | None]:
    if bsa_m2 is None:
        return {}
    indexed = {
        f"{_inserted(name, 'index')}_per_m2": value / bsa_m2
        for name, value in values.items()
        if value is not None and name.endswith(_INDEXED) and "_sd_" not in name
    }
    output = values["cardiac_output_l_per_min"]
    cardiac_index = None if output is None else output / bsa_m2
    return {"bsa_m2": bsa_m2, "cardiac_index_l_per_min_per_m2": cardiac_index, **indexed}


def _inserted(name: str, word: str) -> str:
    """`lv_edv_ml` with `sd` is `lv_edv_sd_ml`."""
    stem, unit = name.rsplit("_", 1)
    return f"{stem}_{word}_{unit}"
