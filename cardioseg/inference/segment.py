"""Segment: a cine and a model become a mask on the cine's own grid."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.heart import locate
from cardioseg.image.labels import Label
from cardioseg.image.preprocess import prepare
from cardioseg.image.volume import Cine, Voxels
from cardioseg.inference.postprocess import clean
from cardioseg.inference.session import Model

BATCH_SLICES = 8
_LOOKS = 3  # phases on which the heart is looked for


def segment(cine: Cine, model: Model, report: Callable[[int, int], None] = lambda *_: None) -> Cine:
    """Label every slice of every phase; uint8 `Label` values on the grid of `cine`.

    A slice's mask does not depend on the slices it shares a batch with.

    Args:
        cine: intensities (phase, slice, row, column).
        model: what to run.
        report: called with the number of slices done and of all, batch by batch.
    """
    slices = cine.voxels.reshape(-1, *cine.grid.shape[1:])
    heart = _heart(cine, model) if model.card.preprocessing.window else None
    masks = np.empty(slices.shape, np.uint8)
    for start in range(0, len(slices), BATCH_SLICES):
        batch = slices[start : start + BATCH_SLICES]
        masks[start : start + BATCH_SLICES] = _label(batch, cine.grid.pixel_mm, model, heart)
        report(start + len(batch), len(slices))
    structures = model.card.structures
    return Cine(clean(masks.reshape(cine.voxels.shape), structures), cine.grid, cine.times_ms)


def _heart(cine: Cine, model: Model) -> tuple[float, float] | None:
    """Where the heart is, from a few phases of every slice."""
    phases = np.linspace(0, len(cine.voxels) - 1, min(_LOOKS, len(cine.voxels))).round().astype(int)
    slices = cine.voxels[phases].reshape(-1, *cine.grid.shape[1:])
    return locate(slices, cine.grid.pixel_mm, model.card.preprocessing, lambda images: model.logits(images[:, None]))


def _label(
    slices: Voxels, pixel_mm: tuple[float, float], model: Model, heart: tuple[float, float] | None
) -> NDArray[np.uint8]:
    images, undo = prepare(slices, pixel_mm, model.card.preprocessing, heart)
    channels = undo(model.logits(images[:, None])).argmax(axis=1)
    return np.asarray(np.array([Label.BACKGROUND, *model.card.structures], np.uint8)[channels])
