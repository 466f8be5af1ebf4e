"""DICOM SEG: the mask of one phase as a Segmentation object, which a PACS stores with the scan and viewers draw on it.

Codes: DICOM PS3.16 has codes for the ventricles in CID 7152 (Cardiac Structure Segmentation Types) and for the left
ventricle's myocardium in CID 12305. It has no code for a cavity without its wall, so a cavity has its ventricle's code
and a label that says cavity.

Identity: patient and study are copied exactly from the source, so that a PACS can file the object.

UIDs: a hash of the object's content: source images, model, version, phase, voxels. A segmentation that is made a second
time has the same UID, so that a PACS stores no second copy; one that differs in a single voxel has another UID. Only
the time of creation is not part of the hash.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np
from numpy.typing import NDArray

from cardioseg import __version__
from cardioseg.errors import UnusableError
from cardioseg.files import safe_name, write_bytes
from cardioseg.image.labels import Label
from cardioseg.image.volume import Volume, Voxels
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.source_image import Original, read_originals
from cardioseg.report.dicom_references import correct_references
from cardioseg.report.palette import COLOURS

logging.getLogger("highdicom").addHandler(logging.NullHandler())
logging.getLogger("highdicom").propagate = False  # its log records contain names and UIDs

_ANATOMICAL_STRUCTURE = ("123037004", "SCT", "Anatomical Structure")  # CID 7150
_ARTIFICIAL_INTELLIGENCE = ("123110", "DCM", "Artificial Intelligence")  # CID 7162
_STRUCTURES: Mapping[Label, tuple[str, str, str]] = {
    Label.RV_CAVITY: ("53085002", "SCT", "Right ventricle"),
    Label.LV_MYOCARDIUM: ("49848007", "SCT", "Left Ventricle Myocardium"),
    Label.LV_CAVITY: ("87878005", "SCT", "Left ventricle"),
}


@dataclass(frozen=True)
class Moment:
    """The phase of a mask.

    Attributes:
        code: `ED` or `ES`.
        name: the full name.
        number: number of the moment, added to the series number.
    """

    code: str
    name: str
    number: int


END_DIASTOLE, END_SYSTOLE = Moment("ED", "end-diastole", 1), Moment("ES", "end-systole", 2)
_FIRST_SERIES = 9000  # above the series numbers of scanners
_LONG_STRING = 64  # most characters of a DICOM LO


@dataclass(frozen=True)
class Author:
    """The model that drew the mask: its name and the SHA-256 of its bytes."""

    name: str
    sha256: str


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
    with warnings.catch_warnings():  # real sources have invalid UIDs and dates, and warnings contain them
        warnings.simplefilter("ignore")
        acquired = [index for index, header in enumerate(headers) if header]
        originals = read_originals([header for header in headers if header])
        try:
            content = _encode(drawing, drawing.mask.voxels[acquired], originals)
        except Exception as error:  # noqa: BLE001 - any type; its text is dropped because it may contain tag values
            raise UnusableError(f"no DICOM SEG can be made for these images ({type(error).__name__})") from None
    write_bytes(path, content)


def _encode(drawing: Drawing, planes: Voxels, originals: Sequence[Original]) -> bytes:
    """The object's bytes; `planes` (image, row, column) are the mask's slices, one for each of `originals`."""
    digest = _digest(drawing, planes, originals)
    segmentation = _build(drawing, planes, [original.view for original in originals], digest)
    segmentation.update(originals[0].identity)
    correct_references(segmentation, originals)
    _set_dimension_uid(segmentation, _uid(digest, "dimensions"))
    buffer = BytesIO()
    segmentation.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _build(drawing: Drawing, planes: Voxels, views: Sequence[Any], digest: str) -> Any:  # noqa: ANN401 - untyped
    from highdicom.seg import Segmentation, SegmentationTypeValues  # noqa: PLC0415 - slow to import

    labels, moment = sorted(drawing.labels), drawing.moment
    model = safe_name(drawing.author.name)
    views[0].SliceThickness = drawing.mask.grid.spacing_mm[0]  # the thickness that the volumes are computed with
    return Segmentation(
        source_images=views,
        pixel_array=_segment_numbers(planes, labels),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_describe(number, label, drawing.author) for number, label in enumerate(labels, start=1)],
        series_instance_uid=_uid(digest, "series"),
        series_number=_FIRST_SERIES + moment.number,
        series_description=f"{model[:40]} {moment.name}",
        sop_instance_uid=_uid(digest, "instance"),
        instance_number=1,
        manufacturer="cardioseg",
        manufacturer_model_name=model[:_LONG_STRING],
        device_serial_number=drawing.author.sha256,
        software_versions=__version__,
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
    from highdicom.sr import CodedConcept  # noqa: PLC0415

    algorithm = AlgorithmIdentificationSequence(
        name=safe_name(author.name)[:_LONG_STRING],
        family=CodedConcept(*_ARTIFICIAL_INTELLIGENCE),
        version=author.sha256[:16],
        source=f"cardioseg {__version__}",
    )
    return SegmentDescription(
        segment_number=number,
        segment_label=label.title,
        segmented_property_category=CodedConcept(*_ANATOMICAL_STRUCTURE),
        segmented_property_type=CodedConcept(*_STRUCTURES[label]),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
        display_color=CIELabColor.from_string(COLOURS[label]),
    )


def _digest(drawing: Drawing, planes: Voxels, originals: Sequence[Original]) -> str:
    sources = [(original.view.SOPInstanceUID, original.frame) for original in originals]
    labels = [label.key for label in sorted(drawing.labels)]
    content = (sources, labels, drawing.moment.code, drawing.author.sha256, __version__, planes.shape)
    return sha256(repr(content).encode() + planes.astype(np.uint8).tobytes()).hexdigest()


def _uid(digest: str, part: str) -> str:
    """A UID derived from a UUID (PS3.5 B.2), the same for the same digest and part."""
    return f"2.25.{uuid5(NAMESPACE_OID, f'{digest} {part}').int}"


def _set_dimension_uid(segmentation: Any, uid: str) -> None:  # noqa: ANN401
    """Replace highdicom's random UID of the dimensions by a reproducible one."""
    for item in (*segmentation.DimensionOrganizationSequence, *segmentation.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid
