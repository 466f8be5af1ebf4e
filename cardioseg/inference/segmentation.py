"""Segmentation: a cine and a model become a mask on the cine's own grid."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.alignment import in_usual_view, turned_to
from cardioseg.image.heart_position import locate
from cardioseg.image.labels import Label
from cardioseg.image.preprocessing import Floats, prepare
from cardioseg.image.volume import Cine, Voxels
from cardioseg.image.window import Window
from cardioseg.inference.acquired_slices import acquired, restored
from cardioseg.inference.flicker import without_flicker
from cardioseg.inference.postprocessing import clean, without_basal_myocardium
from cardioseg.inference.session import Model
from cardioseg.inference.slice_batches import in_batches, in_parallel
from cardioseg.measure.curves import Curves

_LOOKS = 3  # phases on which the heart is looked for


@dataclass(frozen=True)
class Segmentation:
    """What a model makes of a cine.

    Attributes:
        mask: uint8 `Label` values on the grid of the cine.
        fold_curves_ml: volume at each phase by each network of an ensemble alone, counted in the slices where the mask
            holds the structure; empty for a single network.
    """

    mask: Cine
    fold_curves_ml: tuple[Curves, ...] = ()


def segment(
    cine: Cine, model: Model, report: Callable[[int, int], None] = lambda *_: None, *, missing: Collection[int] = ()
) -> Segmentation:
    """Label every slice of every phase that was acquired.

    A slice's mask does not depend on the slices it shares a batch with, nor on the order and direction in which the
    axes of the cine are stored.

    Args:
        cine: intensities (phase, slice, row, column).
        model: what to run.
        report: called with the number of slices done and of all, batch by batch.
        missing: 0-based slices that were not acquired. The network does not see them; they stay background.
    """
    segmented = _segment(acquired(cine, missing), model, report)
    return replace(segmented, mask=restored(segmented.mask, cine, missing))


def _segment(cine: Cine, model: Model, report: Callable[[int, int], None]) -> Segmentation:
    stored, cine = cine, in_usual_view(cine)
    structures = model.card.structures
    batches = list(_batches(cine, model))
    masks, areas, done = np.empty(cine.voxels.shape, np.uint8), [], 0

    def label(batch: _Batch) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        slices = np.ascontiguousarray(cine.voxels[np.divmod(batch.places, cine.grid.shape[0])])
        return _label(slices, cine.grid.pixel_mm, model, batch.window)

    for batch, (labels, alone) in zip(batches, in_parallel(label, batches, model.workers), strict=True):
        masks[np.divmod(batch.places, cine.grid.shape[0])] = labels
        areas.append(alone)
        done += len(labels)
        report(done, cine.phases * cine.grid.shape[0])
    cleaned = Cine(clean(masks, structures), cine.grid, cine.times_ms)
    mask = without_basal_myocardium(without_flicker(cleaned))
    order = np.argsort(np.concatenate([batch.places for batch in batches]))
    curves_ml = _fold_curves_ml(mask, structures, np.concatenate(areas)[order])
    return Segmentation(replace(turned_to(mask, stored.grid), grid=stored.grid), curves_ml)


@dataclass(frozen=True)
class _Batch:
    """Slices that the network labels at once: their places in (phase x slice), and their window."""

    places: NDArray[np.intp]
    window: Window | None


def _batches(cine: Cine, model: Model) -> Iterator[_Batch]:
    """All slices of all phases, those with the same window together."""
    windows = _windows(cine, model)
    places = np.arange(cine.voxels.shape[0] * len(windows)).reshape(-1, len(windows))
    for window in dict.fromkeys(windows):
        alike = places[:, [other == window for other in windows]].ravel()
        pixels = window.size**2 if window else model.card.preprocessing.pixels(cine.grid.shape[1:], cine.grid.pixel_mm)
        size = model.batch_slices(pixels)
        yield from (_Batch(alike[start : start + size], window) for start in range(0, len(alike), size))


def _windows(cine: Cine, model: Model) -> Sequence[Window | None]:
    """The window of each slice of the stack, from every slice once: the phases take turns. None: the settings' own."""
    if not model.card.preprocessing.locate_mm:
        return [None] * cine.grid.shape[0]
    index = np.arange(cine.grid.shape[0])
    phases = np.linspace(0, len(cine.voxels) - 1, _LOOKS).round().astype(int)[index % _LOOKS]
    settings, pixel_mm = model.card.preprocessing, cine.grid.pixel_mm
    size = model.batch_slices(settings.coarse.pixels(cine.grid.shape[1:], pixel_mm))

    def network(images: Floats) -> Floats:
        return np.concatenate(list(in_batches(lambda some: model.logits(some[:, None]), images, size, model.workers)))

    return locate(np.ascontiguousarray(cine.voxels[phases, index]), pixel_mm, settings, network)


def _label(
    slices: Voxels, pixel_mm: tuple[float, float], model: Model, window: Window | None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Labels [n, h, w] of slices, and the area in mm² [n, network, structure] that each network alone would give."""
    settings, structures = model.card.preprocessing, model.card.structures
    images, undo = prepare(slices, pixel_mm, settings, window)
    logits, votes = model.votes(images[:, None])
    labels = np.array([Label.BACKGROUND, *structures], np.uint8)[undo.classes(logits)]
    counts = np.stack([np.count_nonzero(votes == i, axis=(2, 3)) for i in range(1, len(structures) + 1)], -1)
    return np.asarray(labels, np.uint8), counts * (settings.spacing_mm**2 if settings.spacing_mm else prod(pixel_mm))


def _fold_curves_ml(mask: Cine, structures: Sequence[Label], areas_mm2: NDArray[np.float64]) -> tuple[Curves, ...]:
    """Volumes from areas [phase x slice, network, structure]; none where no network votes."""
    if not areas_mm2.shape[1]:
        return ()
    step_mm = mask.grid.spacing_mm[0]
    areas = areas_mm2.reshape(*mask.voxels.shape[:2], *areas_mm2.shape[1:])
    held = np.stack([(mask.voxels == label).any((2, 3)) for label in structures], -1)
    volumes_ml = (areas * held[:, :, None]).sum(1) * step_mm / 1000  # phase, network, structure
    return tuple(
        {label: tuple(volumes_ml[:, network, i].tolist()) for i, label in enumerate(structures)}
        for network in range(volumes_ml.shape[1])
    )
