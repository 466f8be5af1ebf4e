"""Validation: the Dice of a network on the annotated slices of subjects that it was not trained on."""

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from cardioseg.image.heart_position import locate
from cardioseg.image.preprocessing import Floats, prepare
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.measure.overlap import dice
from cardioseg.network.unet import UNet
from cardioseg.training.recipe import Recipe
from cardioseg.training.slice_scores import SliceScore

_BATCH = 8


def validate(network: UNet, recipe: Recipe, subjects: Iterable[Subject]) -> Iterator[SliceScore]:
    """Score every slice on which the recipe's labels are annotated, on the grid of the slice.

    A structure that the reference does not draw in a volume has no Dice there, as in `evaluate`.
    """
    network.eval()
    for subject in subjects:
        for volume in subject.volumes:
            yield from _score(network, recipe, subject.subject_id, volume)


@torch.inference_mode()
def logits(network: UNet, images: Floats) -> Floats:
    """Logits [n, c, h, w] of prepared images [n, h, w], in batches on the network's device."""
    device = next(network.parameters()).device
    batches = (torch.from_numpy(images[start : start + _BATCH, None]) for start in range(0, len(images), _BATCH))
    return np.concatenate([network(batch.to(device)).cpu().numpy() for batch in batches])


def _score(network: UNet, recipe: Recipe, subject_id: str, volume: LabelledVolume) -> Iterator[SliceScore]:
    annotated = np.flatnonzero(volume.annotated[:, list(recipe.structures)].all(axis=1))
    if not len(annotated):
        return
    classes = predict(network, recipe, volume.image[annotated], volume.pixel_mm(recipe.nominal_spacing_mm))
    is_drawn = {label: volume.is_drawn(label) for label in recipe.structures}
    for row, index in enumerate(annotated):
        for number, label in enumerate(recipe.structures, 1):
            score = dice(volume.mask[index] == label, classes[row] == number) if is_drawn[label] else None
            yield SliceScore(subject_id, volume.name, int(index), label.key, score)


def predict(
    network: UNet, recipe: Recipe, slices: NDArray[np.generic], pixel_mm: tuple[float, float] | None
) -> NDArray[np.uint8]:
    """Classes [n, h, w] of the slices [n, h, w] of one stack, numbered from 1 in the order of `recipe.structures`."""
    settings, run = recipe.preprocessing, partial(logits, network)
    windows = locate(slices, pixel_mm, settings, run) if settings.locate_mm else [None] * len(slices)
    classes = np.zeros(slices.shape, np.uint8)
    for window in dict.fromkeys(windows):
        alike = [other == window for other in windows]
        images, undo = prepare(slices[alike], pixel_mm, settings, window)
        classes[alike] = undo.classes(run(images))
    return classes
