"""Slices: the prepared training images of a fold, in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cardioseg.image.heart_position import middle
from cardioseg.image.labels import Label
from cardioseg.image.preprocessing import Preprocessing, center, pad, prepare, resample
from cardioseg.ingest.labels.subject import LabelledVolume, Subject


@dataclass(frozen=True)
class Slices:
    """Prepared training slices, all on one device.

    Attributes:
        images: float32 [n, size, size] in [0, 1].
        targets: uint8 [n, size, size], the network's class numbers (0 is background).
        finer: for a model with a window: the same slices at finer spacing, from which windows of `size` are cut.
        hearts: [n, 2], centres of the windows: the middle of a volume's structures (column, row), from -1 to 1.
        window: height and width of the looks, about the slices' middle; None: the whole slice.
        source: a hash of the data that they were prepared from. Resampled pixels depend on the number of threads in
            their last bits, so they are not hashed.
    """

    images: Tensor
    targets: Tensor
    finer: "Slices | None" = None
    hearts: NDArray[np.float64] | None = None
    window: int | None = None
    source: str = ""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def look_size(self) -> int:
        """Height and width of a look, in pixels."""
        return self.window or self.images.shape[-1]

    def to(self, device: str) -> "Slices":
        """The slices on a torch device."""
        finer = self.finer.to(device) if self.finer else None
        return replace(self, images=self.images.to(device), targets=self.targets.to(device), finer=finer)


def gather(
    subjects: Iterable[Subject],
    labels: Sequence[Label],
    size: int,
    preprocessing: Preprocessing,
    nominal_mm: float | None = None,
) -> Slices:
    """The slices of `subjects` on which all `labels` are annotated, prepared and centred to `size` pixels.

    Args:
        subjects: read one by one.
        labels: the structures, in the order of the network's classes after background.
        size: height and width of the result; with a window, of the slices that it is cut from.
        preprocessing: the preprocessing of every slice.
        nominal_mm: in-plane spacing of volumes without a spacing.
    """
    if preprocessing.window and preprocessing.locate_mm:
        subjects = tuple(subjects)
        whole = gather(subjects, labels, preprocessing.window, preprocessing.coarse, nominal_mm)
        finer = gather(subjects, labels, size, preprocessing.whole, nominal_mm)
        return replace(whole, finer=finer, hearts=finer.hearts)
    volumes = (volume for subject in subjects for volume in subject.volumes)
    annotated = (volume for volume in volumes if annotated_with(volume, labels).any())
    parts = [_prepared(volume, labels, size, preprocessing, nominal_mm) for volume in annotated]
    images = torch.cat([torch.zeros(0, size, size), *(part.images for part in parts)])
    targets = torch.cat([torch.zeros(0, size, size, dtype=torch.uint8), *(part.targets for part in parts)])
    hearts = np.concatenate([np.zeros((0, 2)), *(_hearts(part.targets.numpy()) for part in parts)])
    source = sha256("".join(part.source for part in parts).encode()).hexdigest()
    return Slices(images, targets, hearts=hearts, window=preprocessing.window, source=source)


def annotated_with(volume: LabelledVolume, labels: Sequence[Label]) -> NDArray[np.bool_]:
    """Per slice, whether all `labels` are annotated."""
    return np.asarray(volume.annotated[:, list(labels)].all(axis=1), np.bool_)


def _hearts(targets: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The middle (column, row) of a volume's structures, from -1 to 1 over a slice, for each of its slices [n, 2]."""
    heart = middle(targets > 0)
    position = np.zeros(2) if heart is None else (np.array(heart[::-1]) + 0.5) / targets.shape[-1] * 2 - 1
    return np.tile(position, (len(targets), 1))


def _prepared(
    volume: LabelledVolume, labels: Sequence[Label], size: int, preprocessing: Preprocessing, nominal_mm: float | None
) -> Slices:
    annotated = annotated_with(volume, labels)
    pixel_mm = volume.pixel_mm(nominal_mm)
    images, _ = prepare(volume.image[annotated], pixel_mm, preprocessing.whole)
    classes = np.stack([volume.mask[annotated] == label for label in labels], 1).astype(np.float32)
    classes = resample(classes, pixel_mm, preprocessing.spacing_mm)
    classes = np.concatenate([1 - classes.sum(1, keepdims=True), classes], 1)
    targets = pad(classes.argmax(1), preprocessing.multiple)
    source = sha256(f"{pixel_mm} {volume.image.dtype} {volume.image[annotated].shape}".encode())
    source.update(volume.image[annotated].tobytes() + volume.mask[annotated].tobytes())
    return Slices(
        torch.from_numpy(center(images, size).astype(np.float32)),
        torch.from_numpy(center(targets, size).astype(np.uint8)),
        source=source.hexdigest(),
    )
