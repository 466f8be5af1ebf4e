"""DicomSeg: DICOM cines, and segmentations that were drawn on their images.

The files may have any names and lie anywhere below the folder. Segments are known by coded meaning and by label. A
frame belongs to the image that it names, or else to the one in whose plane it lies. Frames that were left out because
they are empty count as drawn and empty if the object has another frame on their image.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.segment_frames import CLASS_UIDS, Segment, Segmentation, SegmentFrame, read_segmentation
from cardioseg.ingest.labels.drawn_images import DrawnCine, Place, Region
from cardioseg.ingest.labels.drawn_on_cines import DrawnFormat, has_images, objects_of, sources
from cardioseg.ingest.labels.frame_placement import on_pixels, place_of, require_pixels_of
from cardioseg.ingest.labels.painting import PAINTED, left_out
from cardioseg.ingest.labels.segment_structures import (
    NAME_THEM,
    Named,
    require_one_moment,
    structures_of,
    unknown_remark,
)
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning, Structure, listed_names
from cardioseg.ingest.labels.subject import Source
from cardioseg.skipped import Skipped

NAME = "dicomseg"
HAS_NUMBERS = False
HAS_NAMES = True
LOOKS_FOR = "DICOM images and DICOM SEG files in any subfolders"
_FRACTIONS = "pixels that are less than half in a segment are left out"
_CAVITIES = (Structure.LV_CAVITY, Structure.RV_CAVITY)


def recognises(root: Path) -> bool:
    """Whether a DICOM SEG and an MR image lie below `root`."""
    return next(objects_of(root, *CLASS_UIDS), None) is not None and has_images(root)


def misses(root: Path) -> Iterator[str]:
    """A DICOM SEG without images."""
    if path := next(objects_of(root, *CLASS_UIDS), None):
        yield f"{path} is a DICOM SEG, but there are no MR images below {root}: give a folder that has both"


def find(root: Path, meaning: Meaning = AS_USUAL) -> Iterator[Source | Skipped]:
    """Yield the cines on which a DICOM SEG draws."""
    yield from sources(root, objects_of(root, *CLASS_UIDS), DrawnFormat(_images_of, _draw, "slices"), meaning)


def _images_of(path: Path) -> Collection[str]:
    return read_segmentation(path).named_images


def _draw(cine: DrawnCine, files: Sequence[Path], meaning: Meaning, skipped: list[Skipped]) -> Iterator[Region]:
    for path in files:
        try:
            yield from _regions(cine, path, meaning, skipped)
        except UnusableError as error:
            skipped.append(Skipped(str(path), str(error).removeprefix(f"{path}: ")))


def _regions(cine: DrawnCine, path: Path, meaning: Meaning, skipped: list[Skipped]) -> Iterator[Region]:
    """The regions of an object: on each image that one of its frames covers, one for each structure, empty or not."""
    segmentation, remarks = read_segmentation(path), list[str]()
    structures = _structures(segmentation, meaning, remarks)
    places = _places(cine, segmentation, remarks)
    covered = sorted(set(places.values()))
    drawn = _drawn(cine, segmentation, structures, places, remarks)
    remarks.append(left_out({structure: drawn[structure] for structure in _CAVITIES if structure in drawn}))
    skipped += [Skipped(str(path), remark) for remark in remarks if remark]
    phases = {covered[index][0] for inside in drawn.values() for index in np.flatnonzero(inside.any(axis=(1, 2)))}
    for structure, inside in drawn.items():
        for place, pixels in zip(covered, inside, strict=True):
            if place[0] in phases:
                yield Region(structure, *place, pixels, str(path))


def _structures(segmentation: Segmentation, meaning: Meaning, remarks: list[str]) -> Mapping[Segment, Structure]:
    """The segments that become labels, with their structures."""
    segments = segmentation.segments
    structures = structures_of([Named(segment.label, segment.code) for segment in segments], meaning)
    pairs = list(zip(segments, structures, strict=True))
    known = {segment: structure for segment, structure in pairs if structure is not None and structure in PAINTED}
    if not known:
        labels = listed_names([segment.label for segment in segments]) or "of which it has none,"
        raise UnusableError(f"nothing says what structures its segments {labels} are", NAME_THEM)
    remarks.append(unknown_remark([segment.label for segment, structure in pairs if structure is None]))
    return known


def _places(cine: DrawnCine, segmentation: Segmentation, remarks: list[str]) -> Mapping[SegmentFrame, Place]:
    """The image that each frame covers, if it covers one."""
    places: dict[SegmentFrame, Place] = {}
    for frame in segmentation.frames:
        images = frame.images or segmentation.images
        try:
            if not images:
                cine.require_frame_of_reference(segmentation.frame_of_reference)
            place = place_of(cine, frame.plane, images)
            require_pixels_of(cine.images[place], frame.plane)
            places[frame] = place
        except UnusableError as error:
            remarks.append(f"a frame is left out: {error}")
    return places


def _drawn(
    cine: DrawnCine,
    segmentation: Segmentation,
    structures: Mapping[Segment, Structure],
    places: Mapping[SegmentFrame, Place],
    remarks: list[str],
) -> dict[Structure, NDArray[np.bool_]]:
    """What each structure covers (image, row, column), on the images that frames cover, in their order."""
    number_of = {place: number for number, place in enumerate(sorted(set(places.values())))}
    shape = (len(number_of), *cine.stack.grid.shape[1:])
    drawn: dict[Structure, NDArray[np.bool_]] = {}
    on_phase: dict[int, dict[str, Structure]] = defaultdict(dict)
    for segment, structure in structures.items():
        inside = drawn.setdefault(structure, np.zeros(shape, np.bool_))
        for frame, pixels, has_fractions in segmentation.drawn(segment, places):
            place = places[frame]
            inside[number_of[place]] |= on_pixels(cine.images[place], frame.plane, pixels)
            on_phase[place[0]] |= {segment.label: structure} if pixels.any() else {}
            remarks += [_FRACTIONS] if has_fractions else []
    for by_name in on_phase.values():
        require_one_moment(by_name)
    return drawn
