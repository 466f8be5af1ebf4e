"""Source image: its full header, for derived DICOM objects, which must name the patient and the image.

The only module that keeps the patient's identity. It is used only in DICOM objects that belong to the source.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.uid import MRImageStorage
from pydicom.valuerep import DSfloat

from cardioseg.archive.member_paths import open_file
from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.bounded_file import bounded
from cardioseg.ingest.dicom.reader import boundary, require_unchanged
from cardioseg.ingest.dicom.slice_header import SliceHeader

# Values that a derived object copies from its source unchanged, valid or not: a PACS files it by them.
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
# The geometry of multi-frame objects, and a tag that scanners fill with the gap, the step or something else.
_LEFT_OUT = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", "SpacingBetweenSlices")


@dataclass(frozen=True)
class Original:
    """A source image, without pixels.

    Attributes:
        view: its header as that of a classic MR image in the plane of the slice; values that all images of a volume
            share are equal. The tags of `identity` are empty here, so that code which quotes or corrects values sees
            no identity.
        identity: the patient and the study, unchanged.
        class_uid: its SOP class.
        series_uid: its series.
        frame: its number, from 1, in a multi-frame object; None for a single-frame file.
    """

    view: Dataset = field(repr=False)
    identity: Dataset = field(repr=False)
    class_uid: str
    series_uid: str = field(repr=False)
    frame: int | None


def read_originals(headers: Sequence[SliceHeader]) -> list[Original]:
    """Read the full headers of the slices of one volume.

    All get the frame of reference and orientation of the first: they form one stack, although some anonymisers give
    each image of a series a different frame of reference.

    Raises:
        UnusableError: a file cannot be read or has changed since, or does not name its image, its series, its study or
            its frame of reference.
    """
    datasets = {path: _read(header) for path, header in {header.path: header for header in headers}.items()}
    first = _original(datasets[headers[0].path], headers[0])
    originals = [first, *(_original(datasets[header.path], header) for header in headers[1:])]
    for original in originals:
        for keyword in _SHARED:
            setattr(original.view, keyword, first.view[keyword].value)
    return originals


def _read(header: SliceHeader) -> Dataset:
    with boundary(header.path), open_file(header.path) as file:
        require_unchanged(file, header)
        dataset = dcmread(bounded(file), stop_before_pixels=True, force=True)
        for tag in list(_undecodable_tags(dataset)):
            del dataset[tag]
        for keyword, name in _NAMED_BY.items():
            if not dataset.get(keyword):
                raise UnusableError(f"does not name {name}")
        return dataset


def _undecodable_tags(dataset: Dataset) -> Iterator[BaseTag]:
    """The tags whose value cannot be decoded."""
    for tag in list(dataset.keys()):
        try:
            dataset[tag]
        except Exception:  # noqa: BLE001 - an open set of types, as everywhere that pydicom decodes
            yield tag


def _original(dataset: Dataset, header: SliceHeader) -> Original:
    with boundary(header.path):
        identity, view = Dataset(), Dataset()
        identity.update({dataset[keyword].tag: dataset[keyword] for keyword in _IDENTITY if keyword in dataset})
        copied = (element for element in dataset if element.keyword not in (*_IDENTITY, *_LEFT_OUT))
        view.update({element.tag: copy(element) for element in copied})
        for keyword in _IDENTITY[1:]:
            setattr(view, keyword, "")
        view.SOPClassUID = MRImageStorage
        view.Rows, view.Columns = header.shape
        view.PixelSpacing = _decimals(header.pixel_mm)
        view.ImagePositionPatient = _decimals(header.position_mm)
        view.ImageOrientationPatient = _decimals(header.orientation)
        return Original(view, identity, str(dataset.SOPClassUID), str(dataset.SeriesInstanceUID), _number(header))


def _number(header: SliceHeader) -> int | None:
    return None if header.frame is None else header.frame + 1


def _decimals(values: Sequence[float]) -> list[DSfloat]:
    """Decimal strings of at most 16 characters; values that were read keep all their digits."""
    return [DSfloat(value, auto_format=True) for value in values]
