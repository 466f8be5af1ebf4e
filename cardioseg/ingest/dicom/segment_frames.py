"""Segment frames: the segments and frames of a DICOM SEG, binary, fractional or label map, of any program.

`reader.py` reads the planes and the pixels as those of any multi-frame object, with its limits; this module adds what
only segmentations have (PS3.3 C.8.20.2 and C.8.20.3). highdicom's reader would read them too, but it reads the whole
file without limits and needs tags that other programs leave out.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.elements import look_up
from cardioseg.ingest.dicom.numerals import number
from cardioseg.ingest.dicom.reader import boundary, read_all_pixels, read_described
from cardioseg.ingest.dicom.slice_header import SliceHeader

CLASS_UIDS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # Segmentation, Label Map Segmentation
_WANTED = [
    Tag(word)
    for word in (
        "SpecificCharacterSet", "SegmentationType", "MaximumFractionalValue", "SegmentSequence",
        "ReferencedSeriesSequence", "FrameOfReferenceUID",
    )
]  # fmt: skip
_VALUE_BYTES = 8 * 1024**2  # a frame takes up to a kilobyte, and all frames are one value
_PIXELS_LIMIT = 2**29  # of the frames of one segment
_LABEL_MAP, _FRACTIONAL = "LABELMAP", "FRACTIONAL"
ReferencedImage = tuple[str, int | None]  # SOP instance UID, and the frame from 0 if one is named


@dataclass(frozen=True)
class Segment:
    """One segment.

    Attributes:
        number: in the object.
        label: its name.
        code: scheme and value of its type; empty if it has none.
    """

    number: int
    label: str
    code: tuple[str, str]


@dataclass(frozen=True)
class SegmentFrame:
    """One frame.

    Attributes:
        plane: its position, size and spacing.
        segment: the number of its segment; None in a label map, where the pixels are numbers of segments.
        images: the images of which it was made; empty if it names none.
    """

    plane: SliceHeader = field(repr=False)
    segment: int | None
    images: tuple[ReferencedImage, ...] = field(repr=False)


@dataclass(frozen=True)
class Segmentation:
    """What a DICOM SEG holds.

    Attributes:
        segments: in the order of the object, without a background.
        frames: likewise.
        images: all images that it lists as a whole.
        frame_of_reference: UID of the coordinate system; "" if it is not named.
        full: the value of a pixel that is wholly in a segment; None in a label map.
    """

    segments: tuple[Segment, ...]
    frames: tuple[SegmentFrame, ...] = field(repr=False)
    images: tuple[ReferencedImage, ...] = field(repr=False)
    frame_of_reference: str = field(repr=False)
    full: float | None

    @property
    def named_images(self) -> frozenset[str]:
        """SOP instance UIDs of all images that it or its frames name."""
        return frozenset(uid for uid, _ in (*self.images, *(image for frame in self.frames for image in frame.images)))

    def drawn(
        self, segment: Segment, wanted: Collection[SegmentFrame]
    ) -> Iterator[tuple[SegmentFrame, NDArray[np.bool_], bool]]:
        """The wanted frames of a segment, their pixels that are at least half in it, and whether others are less so.

        Raises:
            UnusableError: the pixels cannot be read, or are too many.
        """
        frames = [frame for frame in self.frames if frame in wanted and frame.segment in (None, segment.number)]
        if sum(frame.plane.shape[0] * frame.plane.shape[1] for frame in frames) > _PIXELS_LIMIT:
            raise UnusableError(f"{frames[0].plane.path}: one of its segments has more than {_PIXELS_LIMIT} pixels")
        pixels = read_all_pixels(frame.plane for frame in frames)
        for frame in frames:
            values = pixels[frame.plane]
            if self.full is None:
                yield frame, values == segment.number, False
            else:
                inside = values >= self.full / 2
                yield frame, inside & (values > 0), bool(((values > 0) & ~inside).any())


def read_segmentation(path: Path) -> Segmentation:
    """Read a DICOM SEG, without its pixels.

    Raises:
        UnusableError: it is none, is damaged, or its frames do not say where they lie or what they show.
    """
    dataset, planes = read_described(path, _WANTED, _VALUE_BYTES)
    with boundary(path):
        if look_up(dataset, "SOPClassUID") not in CLASS_UIDS:
            raise UnusableError("not a DICOM SEG")
        kind = str(look_up(dataset, "SegmentationType") or "")
        segments = tuple(_segment(item) for item in dataset.get("SegmentSequence") or ())
        if len({segment.number for segment in segments}) < len(segments):
            raise UnusableError("two of its segments have one number")
        frames = tuple(_frames(dataset, planes, is_label_map=kind == _LABEL_MAP))
        listed = (
            image
            for series in dataset.get("ReferencedSeriesSequence") or ()
            for image in _images(series.get("ReferencedInstanceSequence"))
        )
        return Segmentation(
            segments=tuple(segment for segment in segments if segment.number > 0),
            frames=frames,
            images=tuple(listed),
            frame_of_reference=str(look_up(dataset, "FrameOfReferenceUID") or ""),
            full=None if kind == _LABEL_MAP else _full(dataset, kind),
        )


def _full(dataset: Dataset, kind: str) -> float:
    full = number(look_up(dataset, "MaximumFractionalValue")) if kind == _FRACTIONAL else 1.0
    if not full or full <= 0:
        raise UnusableError("its fractions have no maximum")
    return full


def _segment(item: Dataset) -> Segment:
    value = number(look_up(item, "SegmentNumber"))
    if value is None:
        raise UnusableError("one of its segments has no number")
    return Segment(int(value), str(item.get("SegmentLabel") or ""), _code(item))


def _code(item: Dataset) -> tuple[str, str]:
    codes = item.get("SegmentedPropertyTypeCodeSequence") or ()
    if not codes:
        return "", ""
    return str(look_up(codes[0], "CodingSchemeDesignator") or ""), str(look_up(codes[0], "CodeValue") or "")


def _frames(dataset: Dataset, planes: Sequence[SliceHeader], *, is_label_map: bool) -> Iterator[SegmentFrame]:
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    own = dataset.get("PerFrameFunctionalGroupsSequence") or [Dataset()]
    for plane, groups in zip(planes, own, strict=True):
        derived = _group(shared, groups, "DerivationImageSequence")
        images = tuple(image for item in derived for image in _images(item.get("SourceImageSequence")))
        named = _group(shared, groups, "SegmentIdentificationSequence")
        segment = number(look_up(named[0], "ReferencedSegmentNumber")) if named and not is_label_map else None
        if segment is None and not is_label_map:
            raise UnusableError("one of its frames does not say which segment it shows")
        yield SegmentFrame(plane, None if segment is None else int(segment), images)


def _group(shared: Dataset, groups: Dataset, name: str) -> Sequence[Dataset]:
    return groups.get(name) or shared.get(name) or ()


def _images(items: Sequence[Any] | None) -> Iterator[ReferencedImage]:
    """The images that a sequence names; of several frames of an object, each."""
    for item in items or ():
        uid, frames = str(look_up(item, "ReferencedSOPInstanceUID") or ""), look_up(item, "ReferencedFrameNumber")
        numbers = [frames] if isinstance(frames, int | float) else list(frames or [None])
        yield from ((uid, int(frame) - 1 if isinstance(frame, int | float) else None) for frame in numbers if uid)
