"""Frames: one data set holds one image or, in an enhanced multi-frame object, many. Either way SliceHeaders come out.

Enhanced objects say where and when each frame is in functional groups: sequences of one item, shared by all frames or
of each frame's own (DICOM PS3.3 C.7.6.16.2 and C.8.13.5).
"""

from functools import partial, reduce
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, MediaStorageDirectoryStorage

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.elements import look_up
from cardioseg.ingest.dicom.numerals import number
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.tags import slice_header
from cardioseg.ingest.dicom.uncompressed_pixels import PlainPixels

FRAME_TAGS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DimensionIndexSequence")
_SOP_CLASS = Tag("SOPClassUID")
_PLANE_TAGS = [Tag(word) for word in ("Rows", "Columns", "ImagePositionPatient", "ImageOrientationPatient")]

# Where a frame keeps what a classic image has under the keyword on the left; the first place that holds it counts.
_GROUPS = {
    "PixelSpacing": (("PixelMeasuresSequence", "PixelSpacing"),),
    "SliceThickness": (("PixelMeasuresSequence", "SliceThickness"),),
    "ImagePositionPatient": (("PlanePositionSequence", "ImagePositionPatient"),),
    "ImageOrientationPatient": (("PlaneOrientationSequence", "ImageOrientationPatient"),),
    "RescaleSlope": (("PixelValueTransformationSequence", "RescaleSlope"),),
    "RescaleIntercept": (("PixelValueTransformationSequence", "RescaleIntercept"),),
    "TriggerTime": (("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),),
    "ActualCardiacTriggerDelayTime": (("CardiacSynchronizationSequence", "ActualCardiacTriggerDelayTime"),),
    "NominalInterval": (("CardiacSynchronizationSequence", "RRIntervalTimeNominal"),),
    "TemporalPositionIdentifier": (("FrameContentSequence", "TemporalPositionIndex"),),
    "TemporalPositionTimeOffset": (("TemporalPositionSequence", "TemporalPositionTimeOffset"),),
    "NominalPercentageOfCardiacPhase": (("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),),
    "AcquisitionTime": (("FrameContentSequence", "FrameAcquisitionDateTime"),),
    "AcquisitionNumber": (("FrameContentSequence", "FrameAcquisitionNumber"),),
    "EchoTime": (("MREchoSequence", "EffectiveEchoTime"),),
    "InversionTime": (("MRModifierSequence", "InversionTimes"),),
}
# Where a converter of classic images puts the attributes for which enhanced objects have no place (PS3.3 A.71.4).
_OWN_CONVERTED, _SHARED_CONVERTED = (
    "UnassignedPerFrameConvertedAttributesSequence", "UnassignedSharedConvertedAttributesSequence"
)  # fmt: skip
_CONVERTED = (
    "TriggerTime", "InstanceNumber", "HeartRate", "NominalInterval", "TemporalPositionIdentifier", "AcquisitionTime",
    "AcquisitionNumber", "EchoTime", "InversionTime",
)  # fmt: skip
_TIMES = [
    Tag(word)
    for word in (
        "NominalCardiacTriggerDelayTime", "ActualCardiacTriggerDelayTime", "TriggerTime", "TemporalPositionIndex",
        "TemporalPositionIdentifier", "TemporalPositionTimeOffset", "NominalPercentageOfCardiacPhase",
    )
]  # fmt: skip
_PLACES = [
    Tag(word) for word in ("StackID", "InStackPositionNumber", "ImagePositionPatient", "ImageOrientationPatient")
]
_INDEX_LIMIT = 2**16  # of a dimension; several of them make one number


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
    if _SOP_CLASS not in dataset:
        raise UnusableError("not a DICOM object (it names no SOP class)")
    count = int(number(look_up(dataset, "NumberOfFrames")) or 1)
    if count == 1 and all(tag in dataset for tag in _PLANE_TAGS):
        return (slice_header(path, encoding, partial(look_up, dataset), plain=plain),)
    return tuple(_frame_headers(path, encoding, dataset, plain, count))


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
    if keyword == "ImageType":
        return _frame_type(shared, own)
    if keyword == "DimensionIndexValues":
        return _time_index(dataset, own)
    for group, tag in _GROUPS.get(keyword, ()):
        value = _in_group(shared, own, group, tag)
        if value is not None:
            return value
    converted = _converted(shared, own, keyword) if keyword in _CONVERTED else None
    if converted is not None:
        return converted
    return frame + 1 if keyword == "InstanceNumber" else look_up(dataset, keyword)


def _in_group(shared: Dataset, own: Dataset, group: str, tag: str) -> Any:  # noqa: ANN401 - whatever a tag holds
    items = own.get(group) or shared.get(group)
    return look_up(items[0], tag) if items else None


def _converted(shared: Dataset, own: Dataset, keyword: str) -> Any:  # noqa: ANN401 - whatever a tag holds
    value = _in_group(shared, own, _OWN_CONVERTED, keyword)
    return _in_group(shared, own, _SHARED_CONVERTED, keyword) if value is None else value


def _time_index(dataset: Dataset, own: Dataset) -> int | None:
    """The place of a frame in the dimensions that count times, or else in those that count no places; None: nowhere."""
    content = own.get("FrameContentSequence")
    values = look_up(content[0], "DimensionIndexValues") if content else None
    pointers = [look_up(item, "DimensionIndexPointer") for item in dataset.get("DimensionIndexSequence") or ()]
    counted = [values] if isinstance(values, int) else list(values or ())
    if len(counted) != len(pointers):
        return None
    dimensions = [(pointer, int(value)) for pointer, value in zip(pointers, counted, strict=True)]
    times = [value for pointer, value in dimensions if pointer in _TIMES]
    times = times or [value for pointer, value in dimensions if pointer not in _PLACES]
    return reduce(lambda index, value: index * _INDEX_LIMIT + value, times) if times else None


def _frame_type(shared: Dataset, own: Dataset) -> list[str]:
    kind = _in_group(shared, own, "MRImageFrameTypeSequence", "FrameType") or ()
    return [*kind, _in_group(shared, own, "MRImageFrameTypeSequence", "ComplexImageComponent") or ""]
