"""Frames: one data set holds one image or, in an enhanced multi-frame object, many. Either way SliceHeaders come out.

Enhanced objects say where and when each frame is in functional groups: sequences of one item, shared by all frames or
of each frame's own (DICOM PS3.3 C.7.6.16.2 and C.8.13.5).
"""

from functools import partial
from pathlib import Path
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, MediaStorageDirectoryStorage
from pydicom.values import convert_value

from cardioseg.errors import UnusableError
from cardioseg.ingest.header import SliceHeader
from cardioseg.ingest.plain import PlainPixels
from cardioseg.ingest.tags import HEADER_TAGS, slice_header

FRAME_TAGS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_TAGS = {keyword: Tag(keyword) for keyword in HEADER_TAGS}  # not looked up for each image
_UNNAMED_VR = (None, "UN")
_PLANE_TAGS = [Tag(word) for word in ("Rows", "Columns", "ImagePositionPatient", "ImageOrientationPatient")]

# Where a frame keeps what a classic image has under the keyword on the left; the first place that holds it counts.
_GROUPS = {
    "PixelSpacing": (("PixelMeasuresSequence", "PixelSpacing"),),
    "SliceThickness": (("PixelMeasuresSequence", "SliceThickness"),),
    "ImagePositionPatient": (("PlanePositionSequence", "ImagePositionPatient"),),
    "ImageOrientationPatient": (("PlaneOrientationSequence", "ImageOrientationPatient"),),
    "RescaleSlope": (("PixelValueTransformationSequence", "RescaleSlope"),),
    "RescaleIntercept": (("PixelValueTransformationSequence", "RescaleIntercept"),),
    "TriggerTime": (
        ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
        ("CardiacSynchronizationSequence", "ActualCardiacTriggerDelayTime"),
    ),
    "NominalInterval": (("CardiacSynchronizationSequence", "RRIntervalTimeNominal"),),
    "TemporalPositionIdentifier": (
        ("FrameContentSequence", "TemporalPositionIndex"),
        ("TemporalPositionSequence", "TemporalPositionTimeOffset"),
        ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),
    ),
    "AcquisitionTime": (("FrameContentSequence", "FrameAcquisitionDateTime"),),
    "AcquisitionNumber": (("FrameContentSequence", "FrameAcquisitionNumber"),),
    "EchoTime": (("MREchoSequence", "EffectiveEchoTime"),),
    "InversionTime": (("MRModifierSequence", "InversionTimes"),),
}


def slice_headers(
    path: Path, encoding: UID, dataset: Dataset, plain: PlainPixels | None = None
) -> tuple[SliceHeader, ...]:
    """The images of a data set.

    Args:
        path: the file that it is of.
        encoding: its transfer syntax.
        dataset: without pixels.
        plain: where these are, if they are plain.

    Raises:
        UnusableError: it holds no image with a place in space.
    """
    if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        raise UnusableError("an index of the files on a disc")
    if _TAGS["SOPClassUID"] not in dataset:
        raise UnusableError("not a DICOM object (it names no SOP class)")
    count = int(look_up(dataset, "NumberOfFrames") or 1)
    if count == 1 and all(tag in dataset for tag in _PLANE_TAGS):
        return (slice_header(path, encoding, partial(look_up, dataset), plain=plain),)
    return tuple(_frame_headers(path, encoding, dataset, plain, count))


def look_up(dataset: Dataset, keyword: str) -> Any:  # noqa: ANN401 - whatever a tag holds
    """The value of one of `HEADER_TAGS`, or None: as `dataset.get(keyword)` in half its time."""
    element = dataset.get_item(_TAGS[keyword])
    if not isinstance(element, RawDataElement):
        return element and element.value
    return convert_value(dictionary_VR(element.tag) if element.VR in _UNNAMED_VR else element.VR, element)


def _frame_headers(
    path: Path, encoding: UID, dataset: Dataset, plain: PlainPixels | None, count: int
) -> list[SliceHeader]:
    own = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    if (not own and count == 1) or "Rows" not in dataset:
        raise UnusableError("a DICOM object without an image plane in space")
    if not own:
        kind = "an enhanced" if "Enhanced" in UID(dataset.SOPClassUID).name else "a classic"
        raise UnusableError(f"{kind} multi-frame object that does not say where its frames lie")
    if len(own) != count:
        raise UnusableError(f"a multi-frame object of {count} frames that describes {len(own)}")
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    return [
        slice_header(path, encoding, partial(_look_up, dataset, shared, groups, frame), frame, plain)
        for frame, groups in enumerate(own)
    ]


def _look_up(dataset: Dataset, shared: Dataset, own: Dataset, frame: int, keyword: str) -> Any:  # noqa: ANN401
    if keyword == "InstanceNumber":
        return frame + 1
    if keyword == "ImageType":
        return _frame_type(shared, own)
    for group, tag in _GROUPS.get(keyword, ()):
        value = _in_group(shared, own, group, tag)
        if value is not None:
            return value
    return dataset.get(keyword)


def _in_group(shared: Dataset, own: Dataset, group: str, tag: str) -> Any:  # noqa: ANN401 - whatever a tag holds
    items = own.get(group) or shared.get(group)
    return items[0].get(tag) if items else None


def _frame_type(shared: Dataset, own: Dataset) -> list[str]:
    kind = _in_group(shared, own, "MRImageFrameTypeSequence", "FrameType") or ()
    return [*kind, _in_group(shared, own, "MRImageFrameTypeSequence", "ComplexImageComponent") or ""]
