"""RTSTRUCT: DICOM cines, and structure sets whose contours were drawn on their images.

The files may have any names and lie anywhere below the folder. The name of a region of interest gives its structure. A
contour belongs to the image that it names. If it names none, it belongs to the image in whose plane it lies, if the
cine or the images that the structure set lists have one phase only. Several contours of a region on one image are
filled by the even-odd rule: a contour within another one is a hole.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.structure_set import (
    Outline,
    RegionOfInterest,
    StructureSet,
    read_structure_set,
)
from cardioseg.ingest.labels.contours import filled
from cardioseg.ingest.labels.drawn_images import DrawnCine, Place, Region
from cardioseg.ingest.labels.drawn_on_cines import DrawnFormat, has_images, objects_of, remark_on_names, sources
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning, Structure
from cardioseg.ingest.labels.subject import Source
from cardioseg.skipped import Skipped

NAME = "rtstruct"
HAS_NUMBERS = False
HAS_NAMES = True
LOOKS_FOR = "DICOM images and RTSTRUCT files in any subfolders"
_CLASS_UID = "1.2.840.10008.5.1.4.1.1.481.3"
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_NOT_CLOSED = {
    "POINT": "a point, no contour",
    "OPEN_PLANAR": "an open contour: it encloses no area",
    "OPEN_NONPLANAR": "an open contour: it encloses no area",
}
_LONGEST = 40  # characters of a name that are shown


def recognises(root: Path) -> bool:
    """Whether an RTSTRUCT and a DICOM image lie below `root`; the first bytes of files say so."""
    return next(objects_of(root, _CLASS_UID), None) is not None and has_images(root)


def misses(root: Path) -> Iterator[str]:
    """RTSTRUCT files without images."""
    alone = next(objects_of(root, _CLASS_UID), None)
    if alone:
        yield f"{alone} is an RTSTRUCT, but there is no DICOM image below {root}"


def find(root: Path, meaning: Meaning = AS_USUAL) -> Iterator[Source | Skipped]:
    """Yield the cines on which a structure set draws."""
    yield from sources(root, objects_of(root, _CLASS_UID), DrawnFormat(_images_of, _draw), meaning)


def _images_of(path: Path) -> Collection[str]:
    return read_structure_set(path).named_images


def _draw(cine: DrawnCine, files: Sequence[Path], meaning: Meaning, skipped: list[Skipped]) -> Iterator[Region]:
    for path in files:
        structure_set = read_structure_set(path)
        unknown: list[str] = []
        for roi in structure_set.rois:
            structure = meaning.structure(roi.name)
            if structure is None:
                unknown.append(roi.name)
            elif structure not in (Structure.OTHER, Structure.BACKGROUND):
                where = f"{path}, {roi.name[:_LONGEST]!r}"
                for (phase, index), inside in _masks(cine, structure_set, roi, where, skipped):
                    yield Region(structure, phase, index, inside, where)
        skipped += remark_on_names(path, unknown)


def _masks(
    cine: DrawnCine, structure_set: StructureSet, roi: RegionOfInterest, where: str, skipped: list[Skipped]
) -> Iterator[tuple[Place, NDArray[np.bool_]]]:
    """The image and the pixels of each drawn region."""
    outlines: dict[Place, list[NDArray[np.float64]]] = defaultdict(list)
    for outline in roi.outlines:
        try:
            place, points = _located(cine, structure_set, roi, outline)
            outlines[place].append(points)
        except UnusableError as error:
            skipped.append(Skipped(where, error.message))
    shape = cine.stack.grid.shape[1:]
    for place, several in sorted(outlines.items()):
        try:
            yield place, filled(several, shape)
        except UnusableError as error:
            skipped.append(Skipped(where, error.message))


def _located(
    cine: DrawnCine, structure_set: StructureSet, roi: RegionOfInterest, outline: Outline
) -> tuple[Place, NDArray[np.float64]]:
    if outline.kind not in _CLOSED:
        raise UnusableError(_NOT_CLOSED.get(outline.kind, "it does not say whether it is closed"))
    if outline.problem:
        raise UnusableError(outline.problem)
    if len(outline.points_mm) < 3:
        raise UnusableError("fewer than three points")
    if not outline.images and not structure_set.images:
        cine.require_frame_of_reference(roi.frame_of_reference)
    return cine.locate(outline.points_mm, outline.images or structure_set.images)
