"""Held out: what the networks of a cross validation make of the subjects that each was not trained on."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cardioseg.dataset.training_run import Run
from cardioseg.image.volume import Cine
from cardioseg.inference.segmentation import segment
from cardioseg.inference.session import Model
from cardioseg.ingest.labels.subject import LabelledVolume, Subject


def predict_held_out(run: Run, subject: Subject, model: Model) -> Iterator[tuple[LabelledVolume, NDArray[np.uint8]]]:
    """Segment every volume of a subject, as `predict` would.

    Args:
        run: the cross validation.
        subject: of its dataset.
        model: of the fold that holds the subject out.

    Yields:
        The labelled volume and the predicted `Label` values (slice, row, column).
    """
    nominal_mm = run.description.nominal_spacing_mm
    for volume in subject.volumes:
        cine = Cine(volume.image[None], volume.grid_or_nominal(nominal_mm))
        yield volume, segment(cine, model).mask.voxels[0]
