"""Slices: the prepared training images of a fold, in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cardioseg.image.heart_position import windows
from cardioseg.image.labels import Label
from cardioseg.image.preprocessing import Preprocessing, center, pad, prepare, resample
from cardioseg.image.window import Window
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.wording import counted, listed


@dataclass(frozen=True)
class Slices:
    """Prepared training slices, all on one device.

    Attributes:
        images: float32 [n, size, size] in [0, 1].
        targets: uint8 [n, size, size], the network's class numbers (0 is background).
        windows: for a model with a window: that of each slice, in pixels of `images`.
        coarse: for a model that finds the heart itself: the same slices as it sees them for this.
        source: a hash of the data that they were prepared from. Resampled pixels depend on the number of threads in
            their last bits, so they are not hashed.
    """

    images: Tensor
    targets: Tensor
    windows: tuple[Window, ...] = ()
    coarse: "Slices | None" = None
    source: str = ""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Height and width of the slices, in pixels."""
        return int(self.images.shape[-1])

    def to(self, device: str) -> "Slices":
        """The slices on a torch device."""
        coarse = self.coarse.to(device) if self.coarse else None
        return replace(self, images=self.images.to(device), targets=self.targets.to(device), coarse=coarse)


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
    coarse = None
    if preprocessing.locate_mm:
        subjects = tuple(subjects)
        coarse = gather(subjects, labels, preprocessing.largest_window, preprocessing.coarse, nominal_mm)
    volumes = (volume for subject in subjects for volume in subject.volumes)
    annotated = (volume for volume in volumes if annotated_with(volume, labels).any())
    parts = [_prepared(volume, labels, size, preprocessing, nominal_mm) for volume in annotated]
    images = torch.cat([torch.zeros(0, size, size), *(part.images for part in parts)])
    targets = torch.cat([torch.zeros(0, size, size, dtype=torch.uint8), *(part.targets for part in parts)])
    source = sha256("".join(part.source for part in parts).encode()).hexdigest()
    return Slices(images, targets, tuple(window for part in parts for window in part.windows), coarse, source)


def annotated_with(volume: LabelledVolume, labels: Sequence[Label]) -> NDArray[np.bool_]:
    """Per slice, whether all `labels` are annotated, and drawn in the volume."""
    return np.asarray(volume.drawn[:, list(labels)].all(axis=1), np.bool_)


@dataclass(frozen=True)
class Undrawn:
    """Slices that are not gathered because their volume does not draw all structures.

    Attributes:
        slices: their number.
        subjects: number of subjects that have them.
        labels: the structures that are not drawn, each in at least one of the volumes.
    """

    slices: int
    subjects: int
    labels: tuple[Label, ...]

    @property
    def sentence(self) -> str:
        """For people; "" if nothing is left out."""
        if not self.slices:
            return ""
        names = listed([label.title for label in self.labels])
        why = f"no slice of their volume shows the {names}, so it was probably not drawn"
        return f"{counted(self.slices, 'slice')} of {counted(self.subjects, 'subject')} not used for training: {why}"


def undrawn(subjects: Iterable[Subject], labels: Sequence[Label]) -> Undrawn:
    """The annotated slices that `gather` leaves out because a structure was not drawn in their volume."""
    slices: dict[str, int] = {}
    missing: set[Label] = set()
    for subject in subjects:
        for volume in subject.volumes:
            count = int(volume.annotated[:, list(labels)].all(axis=1).sum())
            not_drawn = [label for label in labels if not volume.is_drawn(label)]
            if count and not_drawn:
                slices[subject.subject_id] = slices.get(subject.subject_id, 0) + count
                missing.update(not_drawn)
    return Undrawn(sum(slices.values()), len(slices), tuple(sorted(missing)))


def _prepared(
    volume: LabelledVolume, labels: Sequence[Label], size: int, preprocessing: Preprocessing, nominal_mm: float | None
) -> Slices:
    annotated = annotated_with(volume, labels)
    pixel_mm = volume.pixel_mm(nominal_mm)
    images, _ = prepare(volume.image[annotated], pixel_mm, preprocessing.whole)
    classes = np.stack([volume.mask[annotated] == label for label in labels], 1).astype(np.float32)
    classes = resample(classes, pixel_mm, preprocessing.spacing_mm)
    classes = np.concatenate([1 - classes.sum(1, keepdims=True), classes], 1)
    targets = center(pad(classes.argmax(1).astype(np.uint8), preprocessing.multiple), size)
    source = sha256(f"{pixel_mm} {volume.image.dtype} {volume.image[annotated].shape}".encode())
    source.update(volume.image[annotated].tobytes() + volume.mask[annotated].tobytes())
    heart = np.asarray(targets != 0)
    return Slices(
        torch.from_numpy(center(images, size).astype(np.float32)),
        torch.from_numpy(targets.astype(np.uint8)),
        tuple(windows(heart, None, preprocessing)) if preprocessing.window else (),
        source=source.hexdigest(),
    )
