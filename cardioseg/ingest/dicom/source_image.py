"""Original: a source image's own header, for what derives from it and must say so: whose it is and which image it is.

The one place where identity is read. It goes from here into DICOM objects that lie beside the source, nowhere else.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.uid import MRImageStorage
from pydicom.valuerep import DSfloat

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.bounded_file import bounded
from cardioseg.ingest.dicom.reader import boundary
from cardioseg.ingest.dicom.slice_header import SliceHeader

# What a derived object shares with its source to the letter, valid or not: a PACS files it by them.
_IDENTITY = (
    "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_NAMED_BY = {
    "SOPInstanceUID": "itself",
    "SeriesInstanceUID": "its series",
    "StudyInstanceUID": "its study",
    "FrameOfReferenceUID": "the frame of reference of its position",
}
_SHARED = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "PixelSpacing", "ImageOrientationPatient")
# The geometry of multi-frame objects, and a tag that scanners fill with the gap, the step or nothing of the kind.
_LEFT_OUT = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", "SpacingBetweenSlices")


@dataclass(frozen=True)
class Original:
    """A source image, without pixels.

    Attributes:
        view: its header in the form of a classic MR image on the plane of the slice, alike in all that the images of
            one volume share. What `identity` holds is empty in it, so that code which quotes or corrects values meets
            none.
        identity: the patient and the study, to the letter.
        class_uid: its SOP class.
        series_uid: its series.
        frame: its number, from 1, in a multi-frame object; None for a file of its own.
    """

    view: Dataset = field(repr=False)
    identity: Dataset = field(repr=False)
    class_uid: str
    series_uid: str = field(repr=False)
    frame: int | None


def read_originals(headers: Sequence[SliceHeader]) -> list[Original]:
    """Read who and what the slices of one volume belong to.

    They are taken to share the first one's frame of reference and orientation: they have been stacked, and there are
    anonymisers that give each image of a series a frame of its own.

    Raises:
        UnusableError: a file cannot be read, or does not name its image, series, study or frame of reference.
    """
    wholes = {path: _read(path) for path in {header.path: None for header in headers}}
    first = _original(wholes[headers[0].path], headers[0])
    originals = [first, *(_original(wholes[header.path], header) for header in headers[1:])]
    for original in originals:
        for keyword in _SHARED:
            setattr(original.view, keyword, first.view[keyword].value)
    return originals


def _read(path: Path) -> Dataset:
    with boundary(path), path.open("rb") as file:
        whole = dcmread(bounded(file), stop_before_pixels=True, force=True)
        for tag in list(_illegible(whole)):
            del whole[tag]
        for keyword, what in _NAMED_BY.items():
            if not whole.get(keyword):
                raise UnusableError(f"does not name {what}")
        return whole


def _illegible(dataset: Dataset) -> Iterator[BaseTag]:
    """The tags whose value cannot be decoded."""
    for tag in list(dataset.keys()):
        try:
            dataset[tag]
        except Exception:  # noqa: BLE001 - an open set of types, as everywhere that pydicom decodes
            yield tag


def _original(whole: Dataset, header: SliceHeader) -> Original:
    with boundary(header.path):
        identity, view = Dataset(), Dataset()
        identity.update({whole[keyword].tag: whole[keyword] for keyword in _IDENTITY if keyword in whole})
        copied = (element for element in whole if element.keyword not in (*_IDENTITY, *_LEFT_OUT))
        view.update({element.tag: copy(element) for element in copied})
        for keyword in _IDENTITY[1:]:
            setattr(view, keyword, "")
        view.SOPClassUID = MRImageStorage
        view.Rows, view.Columns = header.shape
        view.PixelSpacing = _decimals(header.pixel_mm)
        view.ImagePositionPatient = _decimals(header.position_mm)
        view.ImageOrientationPatient = _decimals(header.orientation)
        return Original(view, identity, str(whole.SOPClassUID), str(whole.SeriesInstanceUID), _number(header))


def _number(header: SliceHeader) -> int | None:
    return None if header.frame is None else header.frame + 1


def _decimals(values: Sequence[float]) -> list[DSfloat]:
    """Decimal strings of at most 16 characters, which keep every digit of one that was read."""
    return [DSfloat(value, auto_format=True) for value in values]
