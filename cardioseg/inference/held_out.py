"""Held out: what the networks of a cross validation make of the subjects that each was not trained on."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cardioseg.dataset.folds import Fold
from cardioseg.dataset.run import Run
from cardioseg.dataset.store import Dataset
from cardioseg.image.volume import Cine
from cardioseg.inference.segment import segment
from cardioseg.inference.session import Model
from cardioseg.ingest.subject import LabelledVolume, Subject


def predict_held_out(
    run: Run, fold: Fold, dataset: Dataset, model: Model
) -> Iterator[tuple[Subject, LabelledVolume, NDArray[np.uint8]]]:
    """Segment every volume of a fold's validation subjects, as `predict` would.

    Args:
        run: the cross validation.
        fold: of the run.
        dataset: that it was trained on.
        model: of the fold.

    Yields:
        The subject, its labelled volume and the predicted `Label` values (slice, row, column).
    """
    nominal_mm = run.described["recipe"]["nominal_spacing_mm"]
    for subject_id in fold.validation:
        subject = dataset.subject(subject_id)
        for volume in subject.volumes:
            cine = Cine(volume.image[None], volume.grid_or_nominal(nominal_mm))
            yield subject, volume, segment(cine, model).mask.voxels[0]
