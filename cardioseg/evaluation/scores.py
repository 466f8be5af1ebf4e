"""Scores: overlaps, surface distances and volumes of one pair of masks, label by label."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.regions import regions
from cardioseg.image.labels import Label
from cardioseg.measure.distance import Distances, distances
from cardioseg.measure.overlap import Overlap, overlap


@dataclass(frozen=True)
class SliceScore:
    """One label of one slice.

    Attributes:
        index: 0-based slice of the volume.
        region: one of `regions.REGIONS`.
        overlap: the overlap of the two masks.
        distances: in-plane surface distances; None if a mask is empty or the spacing is not known.
    """

    index: int
    region: str
    overlap: Overlap
    distances: Distances


@dataclass(frozen=True)
class VolumeScore:
    """One label of one reference volume, over the slices on which the label is annotated.

    Attributes:
        subject_id: the person.
        case_id: the case id of the prediction.
        volume: the name of the reference volume, `ed` or `es` if known.
        label: the structure.
        overlap: the overlap on all annotated slices together (3D).
        distances: surface distances in 3D, with the slices at their true positions; None if a mask is empty or the
            spacing is not known.
        voxels: number of voxels of the annotated slices.
        voxel_ml: volume of a voxel, or None if the reference has no spacing.
        slices: the scores of the annotated slices.
        left_out: the other slices of the volume, on which the label is not annotated.
        left_out_voxels: number of voxels that the prediction has of the label on these slices.
        phase: 0-based phase of the reference in its cine; None if it is 3D.
        reference_id: the first name of the reference volume; `case_id` may differ between two systems, this does not.
    """

    subject_id: str
    case_id: str
    volume: str
    label: Label
    overlap: Overlap
    distances: Distances
    voxels: int
    voxel_ml: float | None
    slices: tuple[SliceScore, ...]
    left_out: tuple[int, ...] = ()
    left_out_voxels: int = 0
    phase: int | None = None
    reference_id: str = ""

    @property
    def scored(self) -> tuple[SliceScore, ...]:
        """The slices that are not empty in both masks."""
        return tuple(score for score in self.slices if score.overlap.dice is not None)

    @property
    def reference_ml(self) -> float | None:
        """Volume of the label in the reference."""
        return None if self.voxel_ml is None else self.overlap.reference * self.voxel_ml

    @property
    def predicted_ml(self) -> float | None:
        """Volume of the label in the prediction, on the same slices."""
        return None if self.voxel_ml is None else self.overlap.predicted * self.voxel_ml

    @property
    def difference_ml(self) -> float | None:
        """Predicted minus reference volume."""
        return None if self.voxel_ml is None else (self.overlap.predicted - self.overlap.reference) * self.voxel_ml


Metric = Callable[[SliceScore | VolumeScore], float | None]
METRICS: Mapping[str, Metric] = {
    "dice": lambda score: score.overlap.dice,
    "jaccard": lambda score: score.overlap.jaccard,
    "sensitivity": lambda score: score.overlap.sensitivity,
    "precision": lambda score: score.overlap.precision,
    "hd95_mm": lambda score: score.distances.hd95_mm,
    "assd_mm": lambda score: score.distances.assd_mm,
}


def score(pair: Pair, labels: Collection[Label]) -> Iterator[VolumeScore]:
    """Score each of `labels` that is annotated on at least one slice."""
    slice_regions = regions(pair.reference)
    for label in pair.reference.labels:
        if label in labels:
            yield _score(pair, label, slice_regions)


def _score(pair: Pair, label: Label, slice_regions: tuple[str, ...]) -> VolumeScore:
    is_annotated = pair.reference.annotated[:, label]
    annotated = np.flatnonzero(is_annotated)
    reference, predicted = pair.reference.mask[annotated] == label, pair.predicted[annotated] == label
    spacing_mm = pair.reference.spacing_mm
    pixel_mm = pair.reference.pixel_mm()
    slices = tuple(
        SliceScore(index, slice_regions[index], overlap(expected, actual), _distances(expected, actual, pixel_mm))
        for index, expected, actual in zip(annotated.tolist(), reference, predicted, strict=True)
    )
    return VolumeScore(
        subject_id=pair.subject_id,
        case_id=pair.case_id,
        volume=pair.reference.name,
        label=label,
        overlap=sum((part.overlap for part in slices), Overlap()),
        distances=_distances(reference, predicted, spacing_mm, annotated.tolist()),
        voxels=reference.size,
        voxel_ml=None if spacing_mm is None else float(np.prod(spacing_mm)) / 1000,
        slices=slices,
        left_out=tuple(np.flatnonzero(~is_annotated).tolist()),
        left_out_voxels=int(np.count_nonzero(pair.predicted[~is_annotated] == label)),
        phase=pair.reference.phase,
        reference_id=pair.reference.case_ids[0],
    )


def _distances(
    reference: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    predicted: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    spacing_mm: tuple[float, ...] | None,
    places: Sequence[int] | None = None,
) -> Distances:
    return Distances() if spacing_mm is None else distances(reference, predicted, spacing_mm, places)
