"""Scores: one pair of masks becomes Dice and volumes, label by label."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from cardioseg.evaluation.pairing import Pair
from cardioseg.image.labels import Label
from cardioseg.measure.overlap import dice


@dataclass(frozen=True)
class SliceScore:
    """One slice.

    Attributes:
        index: 0-based slice of the volume.
        dice: None where both masks are empty.
    """

    index: int
    dice: float | None


@dataclass(frozen=True)
class VolumeScore:
    """One label of one reference volume, over the slices on which the reference knows that label.

    Attributes:
        subject_id: the person.
        case_id: the prediction.
        volume: the reference volume's name, `ed` or `es` where known.
        label: the structure.
        dice: over all those slices together (3D); None where both masks are empty.
        reference_voxels: the label's voxels in the reference.
        predicted_voxels: the label's voxels in the prediction.
        voxel_ml: volume of a voxel, or None where the reference does not know its spacing.
        slices: those slices.
    """

    subject_id: str
    case_id: str
    volume: str
    label: Label
    dice: float | None
    reference_voxels: int
    predicted_voxels: int
    voxel_ml: float | None
    slices: tuple[SliceScore, ...]

    @property
    def slice_dice(self) -> list[float]:
        """Dice of the slices that are scored."""
        return [score.dice for score in self.slices if score.dice is not None]

    @property
    def slices_both_empty(self) -> int:
        """Slices that are not scored because both masks are empty."""
        return len(self.slices) - len(self.slice_dice)

    @property
    def reference_ml(self) -> float | None:
        """Volume of the label in the reference."""
        return None if self.voxel_ml is None else self.reference_voxels * self.voxel_ml

    @property
    def predicted_ml(self) -> float | None:
        """Volume of the label in the prediction, on the same slices."""
        return None if self.voxel_ml is None else self.predicted_voxels * self.voxel_ml


def score(pair: Pair, labels: Collection[Label]) -> Iterator[VolumeScore]:
    """Score each of `labels` that the reference knows on at least one slice."""
    for label in pair.reference.labels:
        if label in labels:
            yield _score(pair, label)


def _score(pair: Pair, label: Label) -> VolumeScore:
    annotated = np.flatnonzero(pair.reference.annotated[:, label])
    reference, predicted = pair.reference.mask[annotated] == label, pair.predicted[annotated] == label
    spacing_mm = pair.reference.spacing_mm
    slices = zip(annotated.tolist(), reference, predicted, strict=True)
    return VolumeScore(
        subject_id=pair.subject_id,
        case_id=pair.case_id,
        volume=pair.reference.name,
        label=label,
        dice=dice(reference, predicted),
        reference_voxels=int(np.count_nonzero(reference)),
        predicted_voxels=int(np.count_nonzero(predicted)),
        voxel_ml=None if spacing_mm is None else float(np.prod(spacing_mm)) / 1000,
        slices=tuple(SliceScore(index, dice(expected, found)) for index, expected, found in slices),
    )
