"""Structure set: the contours of a DICOM RTSTRUCT, points in millimetres, as written; nothing is interpreted.

`reader.py` reads headers of images; this module reads the nested sequences of an object without pixels (PS3.3 C.8.8.5
and C.8.8.6). It opens the sequences one by one, so that the limits of `bounded_file.py` hold inside them too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.charset import convert_encodings
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_sequence
from pydicom.tag import Tag
from pydicom.uid import UID, RTStructureSetStorage
from pydicom.values import convert_value

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.bounded_file import Allowance, bounded, bounded_by
from cardioseg.ingest.dicom.elements import look_up
from cardioseg.ingest.dicom.numerals import number, numbers
from cardioseg.ingest.dicom.reader import boundary
from cardioseg.ingest.dicom.transfer_syntax import read_meta, size_bytes

_FILE_LIMIT_BYTES = 64 * 1024**2  # three structures on each of 1000 images take some 15 MB
_READS, _BYTES_A_READ = 2**18, 32  # a contour of four points takes 22 reads and 270 bytes
_WANTED: list[Any] = [
    Tag(word)
    for word in (
        "SOPClassUID", "SpecificCharacterSet", "ReferencedFrameOfReferenceSequence", "StructureSetROISequence",
        "ROIContourSequence",
    )
]  # fmt: skip
_REACH_MM = 100_000.0
ReferencedImage = tuple[str, int | None]  # SOP instance UID, and the frame from 0 if one is named


@dataclass(frozen=True, eq=False)
class Outline:
    """One contour.

    Attributes:
        kind: the geometric type, such as CLOSED_PLANAR.
        points_mm: (point, 3), LPS.
        images: the images on which it was drawn; empty if it names none.
        problem: why the points cannot be used; "" if they can.
    """

    kind: str
    points_mm: NDArray[np.float64] = field(repr=False)
    images: tuple[ReferencedImage, ...] = field(default=(), repr=False)
    problem: str = ""


@dataclass(frozen=True, eq=False)
class RegionOfInterest:
    """The contours of one structure.

    Attributes:
        name: as the user wrote it.
        frame_of_reference: UID of the coordinate system; "" if it is not named.
        outlines: the contours.
    """

    name: str
    frame_of_reference: str = field(repr=False)
    outlines: tuple[Outline, ...] = field(repr=False)


@dataclass(frozen=True, eq=False)
class StructureSet:
    """What an RTSTRUCT holds.

    Attributes:
        rois: its regions of interest, in the order of the file.
        images: all images that it lists as a whole, whether contours name them or not.
    """

    rois: tuple[RegionOfInterest, ...]
    images: tuple[ReferencedImage, ...] = field(repr=False)

    @property
    def named_images(self) -> frozenset[str]:
        """SOP instance UIDs of all images that it or its contours name."""
        drawn = (image for roi in self.rois for outline in roi.outlines for image in outline.images)
        return frozenset(uid for uid, _ in (*self.images, *drawn))


def read_structure_set(path: Path) -> StructureSet:
    """Read an RTSTRUCT.

    Raises:
        UnusableError: it is none, is damaged or too large, or has no contours.
    """
    with boundary(path), path.open("rb") as file:
        if (size := size_bytes(file)) > _FILE_LIMIT_BYTES:
            raise UnusableError(f"larger than {_FILE_LIMIT_BYTES // 1024**2} MiB")
        allowance = Allowance(_READS + size // _BYTES_A_READ)
        dataset = _dataset(file, allowance)
        if look_up(dataset, "SOPClassUID") != RTStructureSetStorage:
            raise UnusableError("not an RTSTRUCT")
        rois = tuple(_rois(dataset, allowance))
        if not any(roi.outlines for roi in rois):
            raise UnusableError("an RTSTRUCT without contours")
        return StructureSet(rois, tuple(_listed_images(dataset, allowance)))


def read_frame_of_reference(path: Path) -> str:
    """UID of the coordinate system of an image; "" if the file does not name it.

    Raises:
        UnusableError: it cannot be read.
    """
    with boundary(path), path.open("rb") as file:
        tags: list[Any] = [Tag("FrameOfReferenceUID")]
        dataset = dcmread(bounded(file), stop_before_pixels=True, specific_tags=tags, force=True)
        return str(look_up(dataset, "FrameOfReferenceUID") or "")


def _dataset(file: BinaryIO, allowance: Allowance) -> Dataset:
    meta = read_meta(file)
    limited = bounded_by(file, _FILE_LIMIT_BYTES, allowance)
    if meta is None:  # pydicom guesses the encoding
        return dcmread(limited, specific_tags=_WANTED, force=True)
    syntax = UID(meta.TransferSyntaxUID)
    return read_dataset(limited, syntax.is_implicit_VR, syntax.is_little_endian, specific_tags=_WANTED)


def _items(dataset: Dataset, keyword: str, allowance: Allowance) -> Sequence[Dataset]:
    """The items of a sequence; pydicom leaves a sequence of stated length unread."""
    element = dataset.get_item(Tag(keyword))
    if not isinstance(element, RawDataElement):
        return () if element is None else tuple(element.value or ())
    value = element.value or b""
    if len(value) < element.length:
        raise UnusableError("it is cut short")
    limited = bounded_by(BytesIO(value), len(value), allowance)
    implicit = element.is_implicit_VR or element.VR == "UN"
    return tuple(read_sequence(limited, implicit, element.is_little_endian, element.length, ["iso8859"]))


def _rois(dataset: Dataset, allowance: Allowance) -> Iterator[RegionOfInterest]:
    described = {look_up(item, "ROINumber"): item for item in _items(dataset, "StructureSetROISequence", allowance)}
    for item in _items(dataset, "ROIContourSequence", allowance):
        roi = described.get(look_up(item, "ReferencedROINumber"), Dataset())
        yield RegionOfInterest(
            name=_text(dataset, roi, "ROIName"),
            frame_of_reference=str(look_up(roi, "ReferencedFrameOfReferenceUID") or ""),
            outlines=tuple(_outline(contour, allowance) for contour in _items(item, "ContourSequence", allowance)),
        )


def _outline(contour: Dataset, allowance: Allowance) -> Outline:
    element = contour.get_item(Tag("ContourData"))
    text = element.value or b"" if isinstance(element, RawDataElement) else b""
    values = numbers(text.decode("latin-1"))
    images = tuple(_images(_items(contour, "ContourImageSequence", allowance)))
    kind = str(look_up(contour, "ContourGeometricType") or "")
    stated = number(look_up(contour, "NumberOfContourPoints"))
    if len(values) % 3 or (stated is not None and 3 * stated != len(values)):
        return Outline(kind, np.empty((0, 3)), images, "it does not have as many coordinates as it states")
    if not all(value is not None and abs(value) < _REACH_MM for value in values):
        return Outline(kind, np.empty((0, 3)), images, "its points are not finite numbers of millimetres")
    return Outline(kind, np.array(values, np.float64).reshape(-1, 3), images)


def _images(items: Sequence[Dataset]) -> Iterator[ReferencedImage]:
    """The images of a list; an item may name several frames of one object."""
    for item in items:
        uid = str(look_up(item, "ReferencedSOPInstanceUID") or "")
        frames = look_up(item, "ReferencedFrameNumber")
        for frame in frames if isinstance(frames, list) and frames else [frames]:
            if uid:
                yield uid, None if number(frame) is None else int(frame) - 1


def _listed_images(dataset: Dataset, allowance: Allowance) -> Iterator[ReferencedImage]:
    for frame_of_reference in _items(dataset, "ReferencedFrameOfReferenceSequence", allowance):
        for study in _items(frame_of_reference, "RTReferencedStudySequence", allowance):
            for series in _items(study, "RTReferencedSeriesSequence", allowance):
                yield from _images(_items(series, "ContourImageSequence", allowance))


def _text(dataset: Dataset, item: Dataset, keyword: str) -> str:
    element = item.get_item(Tag(keyword))
    if not isinstance(element, RawDataElement):
        return str(element.value or "") if element else ""
    encodings = convert_encodings(look_up(dataset, "SpecificCharacterSet") or "")
    return str(convert_value("LO", element, encodings)).strip()
