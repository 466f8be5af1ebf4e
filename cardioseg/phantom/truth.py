"""Truth: the measures of a perfect segmentation of the phantom."""

from dataclasses import dataclass

from cardioseg.measure.curves import Beat
from cardioseg.measure.quantity import Values
from cardioseg.measure.ventricles import beat_values
from cardioseg.phantom.beating_heart import volumes_ml, wall_ml
from cardioseg.phantom.phantom_settings import Phantom


@dataclass(frozen=True)
class Truth:
    """Analytic volumes: the sum over the imaged planes of the exact area inside each outline, times the slice step.

    Slice summation of a mask gives these volumes up to the discretisation into pixels. They are not the integral of the
    ellipsoid, whose parts between the planes are not imaged.

    Attributes:
        lv_ml: LV cavity at each phase, papillary muscles included.
        rv_ml: RV cavity at each phase.
        wall_ml: LV wall, the same at every phase.
        ed_phase: 0-based phase of the largest LV (and RV).
        es_phase: 0-based phase of the smallest.
    """

    lv_ml: tuple[float, ...]
    rv_ml: tuple[float, ...]
    wall_ml: float
    ed_phase: int
    es_phase: int

    @property
    def measures(self) -> Values:
        """Volumes, ejection fractions and mass, by key of the quantity."""
        lv, rv = (
            Beat(self.ed_phase, curve_ml[self.ed_phase], self.es_phase, curve_ml[self.es_phase])
            for curve_ml in (self.lv_ml, self.rv_ml)
        )
        return beat_values(lv, rv, self.wall_ml)


def truth(phantom: Phantom) -> Truth:
    """The volumes, mass and phases that the phantom has by construction."""
    lv, rv = volumes_ml(phantom)
    ed, es = phantom.ed_es_phases
    return Truth(tuple(lv.tolist()), tuple(rv.tolist()), float(wall_ml(phantom)), ed, es)
