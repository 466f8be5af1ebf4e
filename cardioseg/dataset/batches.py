"""Batches: the slices of a fold in memory, and the augmented batch of any step of any epoch, without hidden state.

What step i of epoch e sees is a function of (seed, fold, e, i) alone, so a run resumes anywhere and repeats exactly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cardioseg.dataset.augment import Augmentation, Variation, draw
from cardioseg.image.labels import Label
from cardioseg.image.preprocess import Floats, Preprocessing, center, pad, prepare, resample
from cardioseg.ingest.subject import LabelledVolume, Subject


@dataclass(frozen=True)
class Slices:
    """Prepared training slices.

    Attributes:
        images: float32 [n, size, size] in [0, 1].
        targets: uint8 [n, size, size], the network's class numbers (0 is background).
    """

    images: Floats
    targets: NDArray[np.uint8]

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
        images, angles = np.divmod(np.asarray(pairs), len(self.augmentation.angles.degrees))
        variations = [
            draw(
                self.augmentation,
                self.augmentation.angles.degrees[angle],
                np.random.default_rng([*self.key, int(pair)]),
            )
            for pair, angle in zip(pairs, angles, strict=True)
        ]
        return vary(
            torch.from_numpy(self.slices.images[images]), torch.from_numpy(self.slices.targets[images]), variations
        )


def vary(images: Tensor, targets: Tensor, variations: Sequence[Variation]) -> tuple[Tensor, Tensor]:
    """Apply one variation to each image [b, h, w] (linear interpolation) and target (nearest); zeros outside."""
    matrices = torch.tensor(np.stack([v.matrix for v in variations]), dtype=torch.float32)
    where = functional.affine_grid(matrices, [len(images), 1, *images.shape[1:]], align_corners=False)
    powers = torch.tensor([v.power for v in variations], dtype=torch.float32)[:, None, None, None]
    moved = functional.grid_sample(images[:, None], where, "bilinear", "zeros", align_corners=False)
    labels = functional.grid_sample(targets[:, None].float(), where, "nearest", "zeros", align_corners=False)
    return moved.clamp(0, 1) ** powers, labels[:, 0].long()


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
        size: height and width of the result.
        preprocessing: what is done to every slice.
        nominal_mm: in-plane spacing of volumes that do not say theirs.
    """
    volumes = (volume for subject in subjects for volume in subject.volumes)
    known = (volume for volume in volumes if annotated_with(volume, labels).any())
    parts = [_prepared(volume, labels, size, preprocessing, nominal_mm) for volume in known]
    none = np.zeros((0, size, size))
    images = np.concatenate([none.astype(np.float32), *(part.images for part in parts)])
    return Slices(images, np.concatenate([none.astype(np.uint8), *(part.targets for part in parts)]))


def annotated_with(volume: LabelledVolume, labels: Sequence[Label]) -> NDArray[np.bool_]:
    """Per slice, whether every one of `labels` is annotated."""
    return np.asarray(volume.annotated[:, list(labels)].all(axis=1), np.bool_)


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
    return Slices(np.asarray(center(images, size), np.float32), np.asarray(center(targets, size), np.uint8))
