"""DICOM RTSTRUCT: the mask of one phase as contours, for radiotherapy and other programs that show contours.

One object holds one phase. Most readers place contours by their position alone, and all phases have the same
positions; so each phase has an object of its own, its regions are named after it (`LV cavity ED`), and each contour
refers to the image of its slice and phase.

A contour runs along the edges of pixels, in the plane of its image: its area is that of the pixels.

The myocardium is a ring. It is one contour, which goes around it, through a channel without width, and around the
cavity: the "keyhole technique" of DICOM PS3.3 C.8.8.6.3. plastimatch, dcmrtstruct2nii, rt-utils and platipy read a
ring. Of two CLOSED_PLANAR contours, plastimatch makes a disc, because it joins them; of the standard's other way, two
CLOSEDPLANAR_XOR contours, plastimatch, dcmrtstruct2nii and platipy make nothing.

The encoding is implicit VR: with explicit VR, a contour may have no more than some 1,300 points.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from cardioseg.image.labels import Label
from cardioseg.image.volume import Voxels
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.source_image import Original
from cardioseg.report.dicom_codes import STRUCTURES
from cardioseg.report.dicom_object import FIRST_SERIES, Author, content_digest, derived_uid, write_object
from cardioseg.report.dicom_seg import Drawing
from cardioseg.report.outlines import Points
from cardioseg.report.palette import COLOURS
from cardioseg.report.pixel_contours import pixel_contours

_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"  # RT Structure Set Storage
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management, retired: the standard still asks for it
_FIRST_SERIES = FIRST_SERIES + 4  # of the pictures


def write_contours(path: Path, drawing: Drawing, headers: Sequence[SliceHeader | None]) -> None:
    """Write an RTSTRUCT into the study and frame of reference of its source.

    Each structure of the model is a region, even if it has no contour.

    Args:
        path: where to write.
        drawing: what to write.
        headers: the source image of each slice of the mask, in its order; None if the slice was not acquired.

    Raises:
        ResourceError: the file system refuses the write.
        UnusableError: no RTSTRUCT can refer to the source, which lacks what it needs.
    """
    planes = drawing.mask.voxels[[index for index, header in enumerate(headers) if header]]
    write_object(path, "DICOM RTSTRUCT", headers, lambda originals: _structure_set(drawing, planes, originals))


def _structure_set(drawing: Drawing, planes: Voxels, originals: Sequence[Original]) -> Any:  # noqa: ANN401 - untyped
    """The object; `planes` (image, row, column) are the mask's slices, one for each of `originals`."""
    from highdicom.base import SOPClass  # noqa: PLC0415 - slow to import

    author, moment, labels = drawing.author, drawing.moment, sorted(drawing.labels)
    said = ("RTSTRUCT", [label.key for label in labels], moment.code, planes.shape)
    digest = content_digest(originals, author, said, planes.astype(np.uint8).tobytes())
    structures = SOPClass(
        study_instance_uid=originals[0].view.StudyInstanceUID,
        series_instance_uid=derived_uid(digest, "series"),
        series_number=_FIRST_SERIES + moment.number,
        sop_instance_uid=derived_uid(digest, "instance"),
        sop_class_uid=_CLASS,
        instance_number=1,
        modality="RTSTRUCT",
        series_description=author.series_description(f"contours {moment.name}"),
        **author.equipment,
    )
    now = datetime.now()  # noqa: DTZ005 - DICOM dates are local
    structures.OperatorsName = None
    structures.StructureSetLabel, structures.StructureSetName = moment.code, f"Ventricles at {moment.name}"
    structures.StructureSetDate, structures.StructureSetTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    structures.ApprovalStatus = "UNAPPROVED"
    frame_uid = structures.FrameOfReferenceUID = originals[0].view.FrameOfReferenceUID
    structures.PositionReferenceIndicator = None
    structures.ReferencedFrameOfReferenceSequence = [_frame_of_reference(originals)]
    numbered = list(enumerate(labels, start=1))
    names = {label: f"{label.title} {moment.code}" for label in labels}
    structures.StructureSetROISequence = [
        _region(number, names[label], frame_uid, author) for number, label in numbered
    ]
    structures.ROIContourSequence = [_contours(number, label, planes, originals) for number, label in numbered]
    structures.RTROIObservationsSequence = [_observation(number, label) for number, label in numbered]
    return structures


def _frame_of_reference(originals: Sequence[Original]) -> Dataset:
    """The images that the contours refer to, by series."""
    by_series: dict[str, list[Original]] = defaultdict(list)
    for original in originals:
        by_series[original.series_uid].append(original)
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = _STUDY_CLASS, originals[0].view.StudyInstanceUID
    study.RTReferencedSeriesSequence = []
    for uid, members in by_series.items():
        series = Dataset()
        series.SeriesInstanceUID, series.ContourImageSequence = uid, [_image(member) for member in members]
        study.RTReferencedSeriesSequence.append(series)
    frame = Dataset()
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = originals[0].view.FrameOfReferenceUID, [study]
    return frame


def _image(original: Original) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID = original.class_uid
    image.ReferencedSOPInstanceUID = original.view.SOPInstanceUID
    if original.frame is not None:
        image.ReferencedFrameNumber = original.frame
    return image


def _region(number: int, name: str, frame_uid: str, author: Author) -> Dataset:
    region = Dataset()
    region.ROINumber, region.ROIName = number, name
    region.ReferencedFrameOfReferenceUID = frame_uid
    region.ROIGenerationAlgorithm = "AUTOMATIC" if author.is_automatic else "SEMIAUTOMATIC"
    return region


def _contours(number: int, label: Label, planes: Voxels, originals: Sequence[Original]) -> Dataset:
    region = Dataset()
    region.ReferencedROINumber, region.ROIDisplayColor = number, list(ImageColor.getrgb(COLOURS[label])[:3])
    contours = list(_contours_of_planes(label, planes, originals))
    if contours:  # an empty sequence is not allowed
        region.ContourSequence = contours
    return region


def _contours_of_planes(label: Label, planes: Voxels, originals: Sequence[Original]) -> Iterator[Dataset]:
    for plane, original in zip(planes, originals, strict=True):
        for points in pixel_contours(plane == label):
            positions_mm = _positions_mm(points, original)
            contour = Dataset()
            contour.ContourImageSequence = [_image(original)]
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
            contour.ContourData = [DSfloat(value, auto_format=True) for value in positions_mm.ravel().tolist()]
            yield contour


def _positions_mm(points: Points, original: Original) -> NDArray[np.float64]:
    """LPS positions (point, 3) of points (row, column) in the plane of an image: PS3.3 C.7.6.2.1.1."""
    view = original.view
    corner = np.array(view.ImagePositionPatient, np.float64)
    along_columns, along_rows = np.reshape(np.array(view.ImageOrientationPatient, np.float64), (2, 3))
    row_mm, column_mm = map(float, view.PixelSpacing)
    rows, columns = points.T
    return np.asarray(corner + np.outer(columns * column_mm, along_columns) + np.outer(rows * row_mm, along_rows))


def _observation(number: int, label: Label) -> Dataset:
    """What a region is: in coded form, for programs that do not go by names."""
    value, scheme, meaning = STRUCTURES[label]
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = number
    observation.RTROIIdentificationCodeSequence = [code]
    observation.RTROIInterpretedType, observation.ROIInterpreter = "ORGAN", None
    return observation
