"""Samples: a network's predictions on a few test images, from one end of the heart to the other.

Only the masks and the names of the images are stored; the images themselves stay in the dataset.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.dataset.slices import Slices, annotated_with
from cardioseg.dataset.store import Dataset
from cardioseg.files import write_bytes
from cardioseg.image.preprocessing import Floats, center
from cardioseg.ingest.labels.subject import Subject
from cardioseg.network.unet import UNet
from cardioseg.training.crossval import slices_for
from cardioseg.training.recipe import Recipe
from cardioseg.training.validation import logits

COUNT = 8  # number of images in the paper's figure
SAMPLES_FILE = "samples.npz"


@dataclass(frozen=True)
class Samples:
    """Predicted class numbers uint8 [n, h, w] and the (subject, volume, slice) of each."""

    names: tuple[tuple[str, str, int], ...]
    predictions: NDArray[np.uint8]


def draw(network: UNet, recipe: Recipe, subjects: Iterable[Subject], rng: np.random.Generator) -> Samples:
    """Segment one random image from each eighth of the way through the hearts, so that base and apex are present."""
    subjects = tuple(subjects)
    slices, names = slices_for(recipe, subjects), tuple(_names(recipe, subjects))
    images, references = _network_inputs(slices, recipe)
    with_structure = [index for index in range(len(names)) if references[index].any()]
    by_depth = sorted(with_structure, key=lambda index: _depth(index, with_structure, names))
    groups = np.array_split(np.array(by_depth, np.int64), min(COUNT, len(by_depth)) or 1)
    chosen = [int(rng.choice(group)) for group in groups if len(group)]
    predictions = logits(network, images[chosen]).argmax(1) if chosen else np.zeros((0, *images.shape[1:]))
    return Samples(tuple(names[index] for index in chosen), predictions.astype(np.uint8))


def _names(recipe: Recipe, subjects: Iterable[Subject]) -> Iterator[tuple[str, str, int]]:
    """The (subject, volume, slice) of each of the subjects' annotated slices, in the order of `slices_for`."""
    for subject in subjects:
        for volume in subject.volumes:
            for index in np.flatnonzero(annotated_with(volume, recipe.structures)):
                yield subject.subject_id, volume.name, int(index)


def _depth(index: int, with_structure: list[int], names: tuple[tuple[str, str, int], ...]) -> float:
    """The relative place of an image in its heart, 0 to 1, among the volume's images that hold the structure."""
    of_volume = [candidate for candidate in with_structure if names[candidate][:2] == names[index][:2]]
    return (of_volume.index(index) + 0.5) / len(of_volume)


def _network_inputs(slices: Slices, recipe: Recipe) -> tuple[Floats, NDArray[np.uint8]]:
    """Images float32 [n, h, w] in [0, 1] and class numbers uint8 [n, h, w], as the network sees them."""
    size = recipe.preprocessing.largest_window or slices.size
    images, targets = (center(array.numpy(), size) for array in (slices.images, slices.targets))
    return images.astype(np.float32), targets.astype(np.uint8)


def look_up(samples: Samples, recipe: Recipe, dataset: Dataset) -> tuple[Floats, NDArray[np.uint8]]:
    """The images float32 [n, h, w] in [0, 1] and the reference's class numbers uint8 [n, h, w] of samples."""
    subject_ids = sorted({name[0] for name in samples.names})
    subjects = [dataset.subject(subject_id) for subject_id in subject_ids]
    names = list(_names(recipe, subjects))
    indices = [names.index(name) for name in samples.names]
    images, references = _network_inputs(slices_for(recipe, subjects), recipe)
    return images[indices], references[indices]


def write(samples: Samples, folder: Path) -> None:
    """Write `samples.npz`."""
    stream = io.BytesIO()
    subject_ids, volumes, slices = (np.array([name[part] for name in samples.names]) for part in range(3))
    arrays = {"subject_ids": subject_ids, "volumes": volumes, "slices": slices, "predictions": samples.predictions}
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    write_bytes(folder / SAMPLES_FILE, stream.getvalue())


def read(folder: Path) -> Samples:
    """Read `samples.npz`."""
    with np.load(folder / SAMPLES_FILE, allow_pickle=False) as arrays:
        columns = (arrays[name].tolist() for name in ("subject_ids", "volumes", "slices"))
        return Samples(tuple(zip(*columns, strict=True)), arrays["predictions"])
