"""Named mask: a segmentation of 3D Slicer as a mask, whose numbers are known by the names of its segments."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.alignment import slices_first
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.slicer_segmentation import SlicerSegment, SlicerSegmentation, read_segmentation
from cardioseg.image.volume import Cine
from cardioseg.ingest.labels.numbered_labels import labels_of
from cardioseg.ingest.labels.painting import left_out, painted, structures_in
from cardioseg.ingest.labels.segment_structures import (
    NAME_THEM,
    Named,
    require_one_moment,
    structures_of,
    unknown_remark,
)
from cardioseg.ingest.labels.structures import Meaning, Structure, listed_names


@dataclass(frozen=True)
class NamedMask:
    """A mask and what it says.

    Attributes:
        mask: `Label` values of one phase, with its slices first.
        labels: the structures that have a segment, be it empty.
        unknown: the names of segments that are left out, because nothing says what structure they are.
        remark: on parts of other segments that are left out; "" if there are none.
    """

    mask: Cine = field(repr=False)
    labels: tuple[Label, ...]
    unknown: tuple[str, ...] = ()
    remark: str = ""

    @property
    def left_out(self) -> list[str]:
        """What is left out and why; a line each."""
        return [line for line in (unknown_remark(self.unknown), self.remark) if line]


def read_named_mask(path: Path, meaning: Meaning) -> NamedMask:
    """Read a segmentation of 3D Slicer.

    Names beat numbers: a convention of numbers counts only if no segment has a known name or code.

    Raises:
        CoveredStructureError: a segment covers (nearly) all of another one.
        UnusableError: unreadable, nothing says what its segments are, or they are of ED and of ES.
    """
    segmentation = read_segmentation(path)
    segments = segmentation.segments
    structures = structures_of([Named(segment.name, segment.code) for segment in segments], meaning)
    if not any(structure is not None and structure.label for structure in structures):
        return _by_numbers(path, segmentation, meaning)
    drawn: dict[Structure, NDArray[np.bool_]] = {}
    by_name: dict[str, Structure] = {}
    for segment, structure in zip(segments, structures, strict=True):
        if structure is not None and structure.label:
            inside = _voxels(segmentation, segment)
            drawn[structure] = drawn.get(structure, False) | inside
            by_name |= {segment.name: structure} if inside.any() else {}
    require_one_moment(by_name)
    unknown = [segment.name for segment, structure in zip(segments, structures, strict=True) if structure is None]
    unknown += _nameless(segmentation)
    mask = painted(drawn, segmentation.layers.grid.shape)
    labels = tuple(sorted({structure.label for structure in structures_in(drawn)}))
    return NamedMask(_with_slices_first(segmentation, mask), labels, tuple(unknown), left_out(drawn))


def _by_numbers(path: Path, segmentation: SlicerSegmentation, meaning: Meaning) -> NamedMask:
    names = listed_names([segment.name for segment in segmentation.segments])
    if meaning.numbers is None or segmentation.layers.phases > 1:
        raise UnusableError(f"{path}: nothing says what structures its segments {names} are", NAME_THEM)
    mask = labels_of(segmentation.layers.voxels[0], meaning.numbers)
    return NamedMask(_with_slices_first(segmentation, mask), STRUCTURES)


def _with_slices_first(segmentation: SlicerSegmentation, mask: NDArray[np.uint8]) -> Cine:
    return slices_first(Cine(mask[None], segmentation.layers.grid))


def _voxels(segmentation: SlicerSegmentation, segment: SlicerSegment) -> NDArray[np.bool_]:
    return np.asarray(segmentation.layers.voxels[segment.layer] == segment.number)


def _nameless(segmentation: SlicerSegmentation) -> list[str]:
    """Numbers that no segment has."""
    described = {(segment.layer, segment.number) for segment in segmentation.segments} | {
        (layer, 0) for layer in range(segmentation.layers.phases)
    }
    numbers = (
        (layer, number)
        for layer, voxels in enumerate(segmentation.layers.voxels)
        for number in np.unique(voxels).tolist()
    )
    return [f"number {number:g}" for layer, number in numbers if (layer, number) not in described]
