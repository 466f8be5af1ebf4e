"""DICOM SEG: the mask of one phase as a Segmentation object, which a PACS stores with the scan and viewers draw on it.

Codes: DICOM PS3.16 has no code for a cavity without its wall, so a cavity has its ventricle's code and a label that
says cavity.

A segmentation that differs in a single voxel has another UID.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg import __version__
from cardioseg.image.labels import Label
from cardioseg.image.volume import Volume, Voxels
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.source_image import Original
from cardioseg.report.dicom_codes import ANATOMICAL_STRUCTURE, STRUCTURES, concept
from cardioseg.report.dicom_object import (
    FIRST_SERIES,
    Author,
    content_digest,
    derived_uid,
    write_object,
)
from cardioseg.report.dicom_references import correct_references
from cardioseg.report.palette import COLOURS

_ARTIFICIAL_INTELLIGENCE = ("123110", "DCM", "Artificial Intelligence")  # CID 7162


@dataclass(frozen=True)
class Moment:
    """The phase of a mask.

    Attributes:
        code: `ED`, `ES` or `PHASE07`.
        name: the full name.
        number: number of the moment, added to the series number.
    """

    code: str
    name: str
    number: int


END_DIASTOLE, END_SYSTOLE = Moment("ED", "end-diastole", 1), Moment("ES", "end-systole", 2)
_FIRST_PHASE = 100  # above the numbers of all other objects


def other_phase(phase: int) -> Moment:
    """A phase that is neither, counted from 0."""
    return Moment(f"PHASE{phase:02d}", f"phase {phase}", _FIRST_PHASE + phase)


@dataclass(frozen=True)
class Drawing:
    """The content of one SEG.

    Attributes:
        mask: `Label` values (slice, row, column) of one phase.
        labels: the labels that the model segments; each becomes a segment, even if empty, in the order of `Label`.
        moment: the phase.
        author: the model that drew it.
    """

    mask: Volume
    labels: Sequence[Label]
    moment: Moment
    author: Author


def write_segmentation(path: Path, drawing: Drawing, headers: Sequence[SliceHeader | None]) -> None:
    """Write a binary DICOM SEG into the study and frame of reference of its source.

    Each segment has one frame for every acquired slice, empty or not: its frames are the source's stack.

    Args:
        path: where to write.
        drawing: what to write.
        headers: the source image of each slice of the mask, in its order; None if the slice was not acquired.

    Raises:
        ResourceError: the file system refuses the write.
        UnusableError: no SEG can refer to the source, which lacks what a SEG needs.
    """
    acquired = [index for index, header in enumerate(headers) if header]
    planes = drawing.mask.voxels[acquired]
    write_object(path, "DICOM SEG", headers, lambda originals: _segmentation(drawing, planes, originals))


def _segmentation(drawing: Drawing, planes: Voxels, originals: Sequence[Original]) -> Any:  # noqa: ANN401 - untyped
    """The object; `planes` (image, row, column) are the mask's slices, one for each of `originals`."""
    digest = _digest(drawing, planes, originals)
    segmentation = _build(drawing, planes, [original.view for original in originals], digest)
    correct_references(segmentation, originals)
    _set_dimension_uid(segmentation, derived_uid(digest, "dimensions"))
    _name_segment_in_frames(segmentation)
    return segmentation


def _build(drawing: Drawing, planes: Voxels, views: Sequence[Any], digest: str) -> Any:  # noqa: ANN401
    from highdicom.seg import Segmentation, SegmentationTypeValues  # noqa: PLC0415 - slow to import

    labels, moment, author = sorted(drawing.labels), drawing.moment, drawing.author
    views[0].SliceThickness = drawing.mask.grid.spacing_mm[0]  # the thickness that the volumes are computed with
    return Segmentation(
        source_images=views,
        pixel_array=_segment_numbers(planes, labels),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_describe(number, label, author) for number, label in enumerate(labels, start=1)],
        series_instance_uid=derived_uid(digest, "series"),
        series_number=FIRST_SERIES + moment.number,
        series_description=author.series_description(moment.name),
        sop_instance_uid=derived_uid(digest, "instance"),
        instance_number=1,
        **author.equipment,
        content_qualification="RESEARCH",  # no medical device
        content_label=moment.code,
        content_description=f"Ventricles at {moment.name}",
        omit_empty_frames=False,
    )


def _segment_numbers(planes: Voxels, labels: Sequence[Label]) -> NDArray[np.uint8]:
    """Segment numbers (image, row, column), from 1 in the order of `labels`; 0 for all other labels."""
    number_of = np.zeros(256, np.uint8)
    number_of[list(labels)] = range(1, len(labels) + 1)
    return np.asarray(number_of[planes])


def _describe(number: int, label: Label, author: Author) -> Any:  # noqa: ANN401
    from highdicom import AlgorithmIdentificationSequence  # noqa: PLC0415
    from highdicom.color import CIELabColor  # noqa: PLC0415
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription  # noqa: PLC0415

    algorithm = AlgorithmIdentificationSequence(
        name=author.model_name,
        family=concept(_ARTIFICIAL_INTELLIGENCE),
        version=author.sha256[:16],
        source=f"cardioseg {__version__}",
    )
    types = SegmentAlgorithmTypeValues
    return SegmentDescription(
        segment_number=number,
        segment_label=label.title,
        segmented_property_category=concept(ANATOMICAL_STRUCTURE),
        segmented_property_type=concept(STRUCTURES[label]),
        algorithm_type=types.AUTOMATIC if author.is_automatic else types.SEMIAUTOMATIC,
        algorithm_identification=algorithm,
        display_color=CIELabColor.from_string(COLOURS[label]),
    )


def _digest(drawing: Drawing, planes: Voxels, originals: Sequence[Original]) -> str:
    labels = [label.key for label in sorted(drawing.labels)]
    content = (labels, drawing.moment.code, planes.shape)
    return content_digest(originals, drawing.author, content, planes.astype(np.uint8).tobytes())


def _set_dimension_uid(segmentation: Any, uid: str) -> None:  # noqa: ANN401
    """Replace highdicom's random UID of the dimensions by a reproducible one."""
    for item in (*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid


def _name_segment_in_frames(segmentation: Any) -> None:  # noqa: ANN401
    """Say in each frame which segment it is of; highdicom says it once if there is one segment, and MONAI needs it."""
    (shared,) = segmentation.SharedFunctionalGroupsSequence
    if "SegmentIdentificationSequence" in shared:
        for frame in segmentation.PerFrameFunctionalGroupsSequence:
            frame.SegmentIdentificationSequence = deepcopy(shared.SegmentIdentificationSequence)
        del shared.SegmentIdentificationSequence
