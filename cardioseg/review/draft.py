"""Draft: what a correction that is not saved yet makes of the numbers, and of the slice at other phases."""

from dataclasses import dataclass, replace
from typing import Any

from cardioseg.errors import UsageError
from cardioseg.image.volume import Cine
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.measure.ventricles import measure
from cardioseg.measure.wall_motion import WALL_QUANTITIES
from cardioseg.results.description import rounded_curves
from cardioseg.review.carried_correction import carried
from cardioseg.review.case_document import measure_rows, moved_remark
from cardioseg.review.correction import Correction, plane_of
from cardioseg.review.opened_case import OpenedCase


@dataclass(frozen=True)
class Draft:
    """A case with a correction that is not saved.

    Attributes:
        case: as it is saved.
        correction: what a person changed.
    """

    case: OpenedCase
    correction: Correction

    @property
    def mask(self) -> Cine:
        """The corrected mask.

        Raises:
            UsageError: the correction does not fit the mask.
        """
        return self.correction.applied(self.case.mask, self.case.description.acquisition.missing)

    def measures_document(self) -> dict[str, Any]:
        """The volumes, ejection fractions and mass, the curves, and what a person should know of the phases.

        Raises:
            UnusableError, UsageError: there is no such phase, slice or label.
        """
        before, prediction, by_hand = self.case.description, self.case.prediction, self.correction.by_hand
        drawn = self.case.labelled.with_planes(self.mask.voxels, self.correction.places)
        heart = drawn.without_absent(prediction.measures.structures)
        chosen = by_hand.filled(prediction.chosen)
        measured = measure(heart, chosen, earlier=prediction.measures)
        measures = Measures.from_document(measured.document())  # with the digits of those that are saved
        now = replace(before, measures=measures, curves_ml=heart.curves_ml)
        moved = moved_remark(now, chosen)
        return {
            "ed_phase": measures.ed_phase,
            "es_phase": measures.es_phase,
            "measures": measure_rows(measures),
            "curves_ml": rounded_curves(now.curves_ml),
            "measured_on_saving": _measured_on_saving(measures),
            "remarks": [moved] if moved else [],
        }

    @property
    def _seen(self) -> set[int]:
        """End-diastole and end-systole, which the page shows for every slice."""
        measures, by_hand = self.case.description.measures, self.correction.by_hand
        return {*by_hand.filled(Moments(measures.ed_phase, measures.es_phase)).known}

    def carried_document(self, index: int) -> dict[str, Any]:
        """The planes of a slice at all phases, with its correction carried on; runs are relative to the saved mask.

        Raises:
            UnusableError: the network's own mask is lost.
            UsageError: there is no such slice.
        """
        saved, network = self.case.mask.voxels, self.case.network_mask().voxels
        if index >= saved.shape[1]:
            raise UsageError("there is no such slice")
        planes = carried(network[:, index], self.mask.voxels[:, index], self._seen)
        changed = (plane_of(phase, index, saved[phase, index], plane) for phase, plane in enumerate(planes))
        return {"planes": [plane.model_dump() for plane in changed]}


def _measured_on_saving(measures: Measures) -> list[str]:
    """The keys of what takes too long to be measured after each stroke: the wall, if there is one at end-diastole."""
    has_wall = measures["lv_ed_phase"] is not None and bool(measures["lv_mass_g"])
    return [quantity.key for quantity in WALL_QUANTITIES] if has_wall else []
