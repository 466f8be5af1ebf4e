"""Batches: the slices of a fold in memory, and the augmented batch of any step of any epoch, without hidden state.

What step i of epoch e sees is a function of (seed, fold, e, i) alone, so a run resumes anywhere and repeats exactly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cardioseg.dataset.augment import Augmentation, Variation, draw
from cardioseg.image.heart import middle
from cardioseg.image.labels import Label
from cardioseg.image.preprocess import Floats, Preprocessing, center, pad, prepare, resample
from cardioseg.ingest.subject import LabelledVolume, Subject

_ZOOMED = 0.75  # share of the looks through the window; the others teach the network to find the heart


@dataclass(frozen=True)
class Slices:
    """Prepared training slices.

    Attributes:
        images: float32 [n, size, size] in [0, 1].
        targets: uint8 [n, size, size], the network's class numbers (0 is background).
        closer: for a model with a window: the same slices, finer, from which windows of the same `size` are cut.
        hearts: [n, 2], where to cut: the middle of a volume's structures (column, row), from -1 to 1 over a slice.
        source: a hash of what they were prepared from; that of themselves would change with the number of threads, in
            the last bits of what was resampled.
    """

    images: Floats
    targets: NDArray[np.uint8]
    closer: "Slices | None" = None
    hearts: NDArray[np.float64] | None = None
    source: str = ""

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Epoch:
    """One epoch: every (image, angle) once, in random order, or a random part of that.

    Attributes:
        slices: what is drawn from.
        augmentation: how it is varied.
        batch_size: images a step.
        key: (seed, fold, epoch), from which all randomness derives.
    """

    slices: Slices
    augmentation: Augmentation
    batch_size: int
    key: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Number of full batches."""
        pairs = len(self.slices) * len(self.augmentation.angles.degrees)
        return max(1, round(pairs * self.augmentation.grid_fraction) // self.batch_size)

    def order(self) -> NDArray[np.int64]:
        """The (image, angle) pairs of the epoch as flat indices, [steps, batch_size]."""
        pairs = len(self.slices) * len(self.augmentation.angles.degrees)
        drawn = np.random.default_rng(self.key).permutation(pairs)
        return np.resize(drawn, (self.steps, self.batch_size))

    def batch(self, pairs: Sequence[int] | NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Augmented images [b, 1, h, w] float32 and targets [b, h, w] int64 of some (image, angle) pairs."""
        looks = [self._look(int(pair)) for pair in pairs]
        return torch.cat([image for image, _ in looks]), torch.cat([target for _, target in looks])

    def _look(self, pair: int) -> tuple[Tensor, Tensor]:
        index, angle = divmod(pair, len(self.augmentation.angles.degrees))
        rng = np.random.default_rng([*self.key, pair])
        variation = draw(self.augmentation, self.augmentation.angles.degrees[angle], rng)
        source, size = self.slices, self.slices.images.shape[-1]
        if source.closer is not None and source.hearts is not None and rng.random() < _ZOOMED:
            variation = variation.zoomed(size / source.closer.images.shape[-1], source.hearts[index])
            source = source.closer
        return vary(torch.from_numpy(source.images[index]), torch.from_numpy(source.targets[index]), variation, size)


def vary(image: Tensor, target: Tensor, variation: Variation, size: int) -> tuple[Tensor, Tensor]:
    """Apply a variation to an image [h, w] (linear interpolation) and its target (nearest); zeros outside.

    Returns:
        The image [1, 1, size, size] float32 in [0, 1] and the target [1, size, size] int64.
    """
    matrix = torch.tensor(variation.matrix[None], dtype=torch.float32)
    where = functional.affine_grid(matrix, [1, 1, size, size], align_corners=False)
    moved = functional.grid_sample(image[None, None], where, "bilinear", "zeros", align_corners=False)
    labels = functional.grid_sample(target[None, None].float(), where, "nearest", "zeros", align_corners=False)
    return _recolour(moved.clamp(0, 1), variation), labels[:, 0].long()


def _recolour(image: Tensor, variation: Variation) -> Tensor:
    image = image**variation.power
    if any(variation.slope):
        across = torch.linspace(-1, 1, image.shape[-1])
        image = image * (1 + variation.slope[0] * across + variation.slope[1] * across[:, None])
    if variation.noise:
        drawn = np.random.default_rng(variation.noise_seed).standard_normal(image.shape, np.float32)
        image = image + variation.noise * torch.from_numpy(drawn)
    return image.clamp(0, 1)


def gather(
    subjects: Iterable[Subject],
    labels: Sequence[Label],
    size: int,
    preprocessing: Preprocessing,
    nominal_mm: float | None = None,
) -> Slices:
    """The slices of `subjects` on which every one of `labels` is annotated, prepared and centred to `size` pixels.

    Args:
        subjects: read one by one.
        labels: the structures, in the order of the network's classes after background.
        size: height and width of the result; with a window, of the finer slices that it is cut from.
        preprocessing: what is done to every slice.
        nominal_mm: in-plane spacing of volumes that do not say theirs.
    """
    if preprocessing.window:
        subjects = tuple(subjects)
        whole = gather(subjects, labels, preprocessing.window, preprocessing.coarse, nominal_mm)
        closer = gather(subjects, labels, size, preprocessing.whole, nominal_mm)
        return replace(whole, closer=closer, hearts=closer.hearts)
    volumes = (volume for subject in subjects for volume in subject.volumes)
    known = (volume for volume in volumes if annotated_with(volume, labels).any())
    parts = [_prepared(volume, labels, size, preprocessing, nominal_mm) for volume in known]
    none = np.zeros((0, size, size))
    images = np.concatenate([none.astype(np.float32), *(part.images for part in parts)])
    targets = np.concatenate([none.astype(np.uint8), *(part.targets for part in parts)])
    hearts = np.concatenate([np.zeros((0, 2)), *(_hearts(part.targets) for part in parts)])
    source = sha256("".join(part.source for part in parts).encode()).hexdigest()
    return Slices(images, targets, hearts=hearts, source=source)


def annotated_with(volume: LabelledVolume, labels: Sequence[Label]) -> NDArray[np.bool_]:
    """Per slice, whether every one of `labels` is annotated."""
    return np.asarray(volume.annotated[:, list(labels)].all(axis=1), np.bool_)


def _hearts(targets: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The middle (column, row) of a volume's structures, from -1 to 1 over a slice, for each of its slices [n, 2]."""
    found = middle(targets > 0)
    where = np.zeros(2) if found is None else (np.array(found[::-1]) + 0.5) / targets.shape[-1] * 2 - 1
    return np.tile(where, (len(targets), 1))


def _prepared(
    volume: LabelledVolume, labels: Sequence[Label], size: int, preprocessing: Preprocessing, nominal_mm: float | None
) -> Slices:
    known = annotated_with(volume, labels)
    pixel_mm = volume.pixel_mm(nominal_mm)
    images, _ = prepare(volume.image[known], pixel_mm, preprocessing)
    classes = np.stack([volume.mask[known] == label for label in labels], 1).astype(np.float32)
    classes, _ = resample(classes, pixel_mm, preprocessing.spacing_mm)
    classes = np.concatenate([1 - classes.sum(1, keepdims=True), classes], 1)
    targets, _ = pad(classes.argmax(1), preprocessing.multiple)
    source = sha256(f"{pixel_mm} {volume.image.dtype} {volume.image[known].shape}".encode())
    source.update(volume.image[known].tobytes() + volume.mask[known].tobytes())
    return Slices(
        np.asarray(center(images, size), np.float32),
        np.asarray(center(targets, size), np.uint8),
        source=source.hexdigest(),
    )
