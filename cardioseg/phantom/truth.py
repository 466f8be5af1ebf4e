"""Truth: the measures of a perfect segmentation of the phantom."""

from dataclasses import dataclass

from cardioseg.phantom.beating_heart import volumes_ml, wall_ml
from cardioseg.phantom.phantom_settings import Phantom

_MYOCARDIUM_G_PER_ML = 1.05  # the density that ventricular mass is quoted with


@dataclass(frozen=True)
class Truth:
    """Analytic volumes: the sum over the imaged planes of the exact area inside each outline, times the slice step.

    Slice summation of a mask gives these volumes up to the discretisation into pixels. They are not the integral of the
    ellipsoid, whose parts between the planes are not imaged.

    Attributes:
        lv_ml: LV cavity at each phase, papillary muscles included.
        rv_ml: RV cavity at each phase.
        lv_mass_g: LV wall, the same at every phase.
        ed_phase: 0-based phase of the largest LV (and RV).
        es_phase: 0-based phase of the smallest.
    """

    lv_ml: tuple[float, ...]
    rv_ml: tuple[float, ...]
    lv_mass_g: float
    ed_phase: int
    es_phase: int

    @property
    def lv_edv_ml(self) -> float:
        """LV cavity at ED."""
        return self.lv_ml[self.ed_phase]

    @property
    def lv_esv_ml(self) -> float:
        """LV cavity at ES."""
        return self.lv_ml[self.es_phase]

    @property
    def lv_sv_ml(self) -> float:
        """LV stroke volume."""
        return self.lv_edv_ml - self.lv_esv_ml

    @property
    def lv_ef_percent(self) -> float:
        """LV ejection fraction."""
        return 100 * self.lv_sv_ml / self.lv_edv_ml

    @property
    def rv_edv_ml(self) -> float:
        """RV cavity at ED."""
        return self.rv_ml[self.ed_phase]

    @property
    def rv_esv_ml(self) -> float:
        """RV cavity at ES."""
        return self.rv_ml[self.es_phase]

    @property
    def rv_sv_ml(self) -> float:
        """RV stroke volume."""
        return self.rv_edv_ml - self.rv_esv_ml

    @property
    def rv_ef_percent(self) -> float:
        """RV ejection fraction."""
        return 100 * self.rv_sv_ml / self.rv_edv_ml


def truth(phantom: Phantom) -> Truth:
    """The volumes, mass and phases that the phantom has by construction."""
    lv, rv = volumes_ml(phantom)
    ed, es = phantom.ed_es_phases
    return Truth(tuple(lv.tolist()), tuple(rv.tolist()), wall_ml(phantom) * _MYOCARDIUM_G_PER_ML, ed, es)
