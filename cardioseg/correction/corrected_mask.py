"""Corrected mask: a predicted mask as a person left it, what it was before, and its measures."""

from dataclasses import dataclass, replace

import numpy as np

from cardioseg.correction.edited_mask import present
from cardioseg.image.volume import Cine
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.description import Description, read_description
from cardioseg.results.edits import is_edited
from cardioseg.results.folder import CaseFolder
from cardioseg.results.mask_files import read_mask
from cardioseg.results.measured_mask import describe


@dataclass(frozen=True)
class Prediction:
    """What the network, and whoever ran it, had made of a case before it was corrected.

    Attributes:
        mask: `Label` values (phase, slice, row, column); None if it is lost because another program wrote over it.
        measures: of that mask.
        chosen: phases that a person chose for `predict`.
    """

    mask: Cine | None
    measures: Measures
    chosen: Moments


@dataclass(frozen=True)
class Corrected:
    """A case as a person left it.

    Attributes:
        mask: `Label` values (phase, slice, row, column), on the grid of the case's mask, with the times of the scan.
        saved: the mask that the person began with.
        prediction: what it was corrected from.
        by_hand: phases that the person chose.
    """

    mask: Cine
    saved: Cine
    prediction: Prediction
    by_hand: Moments = Moments()  # noqa: RUF009 - frozen

    @property
    def is_as_predicted(self) -> bool:
        """Whether the mask is the network's own."""
        return self.prediction.mask is not None and np.array_equal(self.mask.voxels, self.prediction.mask.voxels)

    @property
    def moments(self) -> Moments:
        """The phases that were chosen, now or for `predict`."""
        return self.by_hand.filled(self.prediction.chosen)


def read_prediction(folder: CaseFolder, mask: Cine | None = None) -> Prediction:
    """What was predicted of a case, whether it was corrected since or not.

    Args:
        folder: of the case.
        mask: the content of its mask, if that was read already.

    Raises:
        UnusableError: there are no measures, or the mask cannot be read.
    """
    record, measures = read_case_record(folder) or CaseRecord(), read_description(folder).measures
    chosen = Moments(**record.chosen_phases)
    before = record.begun_save or (record.review if record.is_corrected else None)
    if before:
        measures, chosen = Measures.from_document(before.predicted), Moments(**before.predicted_phases)
    if folder.predicted_mask.is_file():
        return Prediction(read_mask(folder.predicted_mask), measures, chosen)
    has_other_voxels = record.review is not None and record.is_corrected and record.review.changed_voxels != 0
    is_lost = has_other_voxels or is_edited(folder.mask, record)  # a person may have changed the phases alone
    return Prediction(None if is_lost else mask or read_mask(folder.mask), measures, chosen)


def describe_corrected(corrected: Corrected, before: Description) -> Description:
    """Measure and judge a corrected mask as `cardioseg measure` does: the phases stay where nobody chose others.

    Args:
        corrected: the case.
        before: what was known of it until now.

    Raises:
        UnusableError: a chosen phase is not in the mask.
    """
    mask, is_as_predicted = corrected.mask, corrected.is_as_predicted
    folds = before.fold_curves_ml if is_as_predicted else ()
    described = describe(
        mask,
        corrected.prediction.measures.structures | present(mask),
        before.acquisition,
        corrected.moments,
        folds,
        earlier=corrected.prediction.measures,
    )
    return described if is_as_predicted else _with_folds(described, before)


def _with_folds(description: Description, before: Description) -> Description:
    """The networks' curves stay in the file for the day when the correction is undone; no number comes from them."""
    return replace(description, fold_curves_ml=before.fold_curves_ml)
