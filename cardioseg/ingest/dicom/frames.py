"""Frames: the SliceHeaders of a data set, which contains one image or, in an enhanced multi-frame object, many.

Enhanced objects describe the position and time of each frame in functional groups: sequences of one item, for all
frames together or for each frame (DICOM PS3.3 C.7.6.16.2 and C.8.13.5).
"""

from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, MediaStorageDirectoryStorage

from cardioseg.archive.member_paths import Stamp
from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.elements import look_up
from cardioseg.ingest.dicom.numerals import number
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.tags import slice_header
from cardioseg.ingest.dicom.uncompressed_pixels import PlainPixels

FRAME_TAGS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DimensionIndexSequence")
_SOP_CLASS = Tag("SOPClassUID")
_PLANE_TAGS = [Tag(word) for word in ("Rows", "Columns", "ImagePositionPatient", "ImageOrientationPatient")]

# Keyword of a classic image -> (functional group, keyword) of a frame; the first that has a value is used.
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
    "FlipAngle": (("MRTimingAndRelatedParametersSequence", "FlipAngle"),),
}
# Sequences for attributes of converted classic images that enhanced objects do not define (PS3.3 A.71.4).
_OWN_CONVERTED, _SHARED_CONVERTED = (
    "UnassignedPerFrameConvertedAttributesSequence", "UnassignedSharedConvertedAttributesSequence"
)  # fmt: skip
_CONVERTED = (
    "TriggerTime", "InstanceNumber", "HeartRate", "NominalInterval", "TemporalPositionIdentifier", "AcquisitionTime",
    "AcquisitionDate", "AcquisitionDateTime", "AcquisitionNumber", "EchoTime", "InversionTime", "FlipAngle",
    "ScanningSequence", "SequenceName",
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
_INDEX_LIMIT = 2**16  # of a dimension's index; the indices of several dimensions are combined into one number


def slice_headers(
    path: Path, encoding: UID, dataset: Dataset, *, stamp: Stamp | None = None, plain: PlainPixels | None = None
) -> tuple[SliceHeader, ...]:
    """The images of a data set.

    Args:
        path: the file.
        encoding: its transfer syntax.
        dataset: its data set, without pixels.
        stamp: of the file.
        plain: the location of the pixels, if they are uncompressed.

    Raises:
        UnusableError: it contains no image with a position in space.
    """
    if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        raise UnusableError("an index of the files on a disc")
    if _SOP_CLASS not in dataset:
        raise UnusableError("not a DICOM object (it names no SOP class)")
    count = int(number(look_up(dataset, "NumberOfFrames")) or 1)
    if count == 1 and all(tag in dataset for tag in _PLANE_TAGS):
        return (slice_header(path, encoding, partial(look_up, dataset), stamp=stamp, plain=plain),)
    parse = partial(slice_header, path, encoding, stamp=stamp, plain=plain)
    return tuple(_frame_headers(parse, dataset, count))


def _frame_headers(parse: Callable[..., SliceHeader], dataset: Dataset, count: int) -> list[SliceHeader]:
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    if (not per_frame and count == 1) or "Rows" not in dataset:
        raise UnusableError("a DICOM object without an image plane in space")
    if not per_frame:
        kind = "an enhanced" if "Enhanced" in UID(dataset.SOPClassUID).name else "a classic"
        raise UnusableError(f"{kind} multi-frame object that does not say where its frames lie")
    if len(per_frame) != count:
        raise UnusableError(f"a multi-frame object of {count} frames that describes {len(per_frame)}")
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    return [parse(partial(_look_up, dataset, shared, groups, frame), frame) for frame, groups in enumerate(per_frame)]


def _look_up(dataset: Dataset, shared: Dataset, groups: Dataset, frame: int, keyword: str) -> Any:  # noqa: ANN401
    if keyword == "ImageType":
        return _frame_type(shared, groups)
    if keyword == "DimensionIndexValues":
        return _time_index(dataset, groups)
    for group, tag in _GROUPS.get(keyword, ()):
        value = _in_group(shared, groups, group, tag)
        if value is not None:
            return value
    converted = _converted(shared, groups, keyword) if keyword in _CONVERTED else None
    if converted is not None:
        return converted
    return frame + 1 if keyword == "InstanceNumber" else look_up(dataset, keyword)


def _in_group(shared: Dataset, groups: Dataset, group: str, tag: str) -> Any:  # noqa: ANN401 - whatever a tag holds
    items = groups.get(group) or shared.get(group)
    return look_up(items[0], tag) if items else None


def _converted(shared: Dataset, groups: Dataset, keyword: str) -> Any:  # noqa: ANN401 - whatever a tag holds
    value = _in_group(shared, groups, _OWN_CONVERTED, keyword)
    return _in_group(shared, groups, _SHARED_CONVERTED, keyword) if value is None else value


def _time_index(dataset: Dataset, groups: Dataset) -> int | None:
    """A frame's index in the dimensions of time, else in those that are not positions; None if there are none."""
    content = groups.get("FrameContentSequence")
    values = look_up(content[0], "DimensionIndexValues") if content else None
    pointers = [look_up(item, "DimensionIndexPointer") for item in dataset.get("DimensionIndexSequence") or ()]
    indices = [values] if isinstance(values, int) else list(values or ())
    if len(indices) != len(pointers):
        return None
    dimensions = [(pointer, int(value)) for pointer, value in zip(pointers, indices, strict=True)]
    times = [value for pointer, value in dimensions if pointer in _TIMES]
    times = times or [value for pointer, value in dimensions if pointer not in _PLACES]
    return reduce(lambda index, value: index * _INDEX_LIMIT + value, times) if times else None


def _frame_type(shared: Dataset, groups: Dataset) -> list[str]:
    kind = _in_group(shared, groups, "MRImageFrameTypeSequence", "FrameType") or ()
    return [*kind, _in_group(shared, groups, "MRImageFrameTypeSequence", "ComplexImageComponent") or ""]
