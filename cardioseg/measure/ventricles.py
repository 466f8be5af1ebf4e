"""Ventricles: a mask cine becomes volumes, ejection fractions and mass.

SV = EDV - ESV, EF = 100 SV / EDV, mass = 1.05 g/mL x volume of the myocardium at end-diastole.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine

MYOCARDIUM_G_PER_ML = 1.05  # Vinnakota & Bassingthwaighte, AJP Heart 2004; the value of the SCMR guidelines
_DIGITS = 2  # 0.01 mL is less than one voxel


@dataclass(frozen=True)
class VentricleMeasures:
    """What the masks of one case say; None is "not known", never a zero in disguise.

    Attributes:
        lv_edv_ml: LV cavity at end-diastole, its largest volume.
        lv_esv_ml: LV cavity at end-systole, its smallest volume.
        lv_sv_ml: stroke volume.
        lv_ef_percent: ejection fraction.
        lv_mass_g: myocardium at the LV's end-diastole.
        rv_edv_ml: RV cavity at its own end-diastole.
        rv_esv_ml: RV cavity at its own end-systole.
        rv_sv_ml: stroke volume.
        rv_ef_percent: ejection fraction.
        ed_phase: 0-based phase of the LV's end-diastole, or of the RV's where there is no LV.
        es_phase: 0-based phase of the same ventricle's end-systole.
        lv_volume_ml: LV cavity of a single phase, which nothing says to be end-diastole or end-systole.
        rv_volume_ml: RV cavity of a single phase.
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
    lv_volume_ml: float | None = None
    rv_volume_ml: float | None = None

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The names of the measures, in the order of a CSV row."""
        return tuple(field.name for field in fields(cls))

    def as_row(self) -> dict[str, float | int | None]:
        """The measures by name, rounded to 0.01; None is an empty cell."""
        return {
            name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class _Beat:
    """End-diastole and, where there is one, end-systole of one cavity."""

    ed_phase: int | None = None
    edv_ml: float | None = None
    es_phase: int | None = None
    esv_ml: float | None = None

    @property
    def sv_ml(self) -> float | None:
        return None if self.edv_ml is None or self.esv_ml is None else self.edv_ml - self.esv_ml

    @property
    def ef_percent(self) -> float | None:
        return None if self.edv_ml is None or self.sv_ml is None else 100 * self.sv_ml / self.edv_ml


def volume_curves_ml(mask: Cine, labels: Collection[Label]) -> dict[Label, tuple[float, ...]]:
    """Volume in mL of each label at each phase.

    Args:
        mask: `Label` values (phase, slice, row, column).
        labels: what the model segments; the background has no curve.

    Returns:
        One value a phase for every structure in `labels`, zeros where the mask does not hold it.
    """
    voxels = {label: np.count_nonzero(mask.voxels == label, axis=(1, 2, 3)) for label in STRUCTURES if label in labels}
    return {label: tuple((count * mask.grid.voxel_ml).tolist()) for label, count in voxels.items()}


def measure(mask: Cine, labels: Collection[Label]) -> VentricleMeasures:
    """Measure a mask cine.

    A single phase gives volumes and mass only. A cavity that is empty at some phase gives no ESV: no heart empties, so
    the mask is wrong there and an ejection fraction of 100 % would hide it.

    Args:
        mask: `Label` values (phase, slice, row, column).
        labels: what the model segments; measures of other labels are None.
    """
    curves = volume_curves_ml(mask, labels)
    lv, rv = _beat(curves.get(Label.LV_CAVITY, ())), _beat(curves.get(Label.RV_CAVITY, ()))
    timing = rv if lv.ed_phase is None else lv
    return VentricleMeasures(
        lv_edv_ml=lv.edv_ml,
        lv_esv_ml=lv.esv_ml,
        lv_sv_ml=lv.sv_ml,
        lv_ef_percent=lv.ef_percent,
        lv_mass_g=_mass_g(curves, lv.ed_phase),
        rv_edv_ml=rv.edv_ml,
        rv_esv_ml=rv.esv_ml,
        rv_sv_ml=rv.sv_ml,
        rv_ef_percent=rv.ef_percent,
        ed_phase=timing.ed_phase,
        es_phase=timing.es_phase,
        lv_volume_ml=_only(curves.get(Label.LV_CAVITY, ())),
        rv_volume_ml=_only(curves.get(Label.RV_CAVITY, ())),
    )


def _only(curve_ml: tuple[float, ...]) -> float | None:
    return curve_ml[0] if len(curve_ml) == 1 and curve_ml[0] else None


def _beat(curve_ml: tuple[float, ...]) -> _Beat:
    if len(curve_ml) < 2 or not any(curve_ml):
        return _Beat()
    ed_phase, es_phase = int(np.argmax(curve_ml)), int(np.argmin(curve_ml))
    if curve_ml[es_phase] == 0:
        return _Beat(ed_phase, curve_ml[ed_phase])
    return _Beat(ed_phase, curve_ml[ed_phase], es_phase, curve_ml[es_phase])


def _mass_g(curves: Mapping[Label, tuple[float, ...]], ed_phase: int | None) -> float | None:
    curve_ml = curves.get(Label.LV_MYOCARDIUM, ())
    if len(curve_ml) == 1:
        ed_phase = 0
    if not curve_ml or ed_phase is None or curve_ml[ed_phase] == 0:
        return None
    return MYOCARDIUM_G_PER_ML * curve_ml[ed_phase]
