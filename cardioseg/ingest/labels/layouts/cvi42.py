"""cvi42: DICOM cines, and workspaces that cvi42 exported as XML (`.cvi42wsx`, or zip files with them).

The LV's endocardium and epicardium and the RV's endocardium on short-axis images become labels. Papillary muscles that
have contours of their own belong to the cavity that the endocardial contour encloses. Contours of the long axis, of
enhancement, of regions and of points are left out without a remark. Open contours enclose no area and are left out
with one. Which phases are ED and ES follows from the volumes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.ingest.finding.scan_files import regular_files
from cardioseg.ingest.labels.contours import polygon_mask
from cardioseg.ingest.labels.cvi42_workspace import (
    BINARY_SUFFIX,
    HEAD_BYTES,
    NAMESPACE,
    SUFFIX,
    Cvi42Contour,
    read_workspace,
    workspaces_in,
)
from cardioseg.ingest.labels.drawn_images import DrawnCine, Place, Region
from cardioseg.ingest.labels.drawn_on_cines import DrawnFormat, has_images, remark_on_names, sources
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning, Structure, normalised
from cardioseg.ingest.labels.subject import Source
from cardioseg.skipped import Skipped

NAME = "cvi42"
HAS_NUMBERS = False
HAS_NAMES = True
LOOKS_FOR = "DICOM images and workspaces *.cvi42wsx (or zip files with them, or the same as *.xml) in any subfolders"
_OTHERS = (
    "la", "sapapilMusc", "sarvepicardial", "saReference", "saEnhancement", "noReflow", "excludeEnhancement",
    "freeDrawRoi", "AorticValve", "PulmonaryValve",
)  # fmt: skip
_OPEN = "opencontour"
_MARGIN = 1.0  # pixels beyond the centres of the image's outermost pixels


def recognises(root: Path) -> bool:
    """Whether a workspace in XML and a DICOM image lie below `root`."""
    return next(_workspaces(root), None) is not None and has_images(root)


def misses(root: Path) -> Iterator[str]:
    """Workspaces that are no XML, and workspaces without images."""
    binary = next((path for path in sorted(root.rglob(f"*{BINARY_SUFFIX}"))), None)
    if binary:
        yield f"{binary} is a binary workspace: export it from cvi42 as an XML workspace ({SUFFIX})"
    alone = next(_workspaces(root), None)
    if alone:
        yield f"{alone} is a workspace, but there is no DICOM image below {root}"


def find(root: Path, meaning: Meaning = AS_USUAL) -> Iterator[Source | Skipped]:
    """Yield the cines on which a workspace draws."""
    yield from sources(root, _workspaces(root), DrawnFormat(_images_of, _draw), meaning)


def _workspaces(root: Path) -> Iterator[Path]:
    for path in regular_files(root, (root,)):
        if isinstance(path, Path) and _is_workspace(path):
            yield path


def _is_workspace(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return bool(workspaces_in(path))
    return suffix == SUFFIX or (suffix == ".xml" and NAMESPACE in _head(path))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _images_of(path: Path) -> Collection[str]:
    return read_workspace(path).keys()


def _draw(cine: DrawnCine, files: Sequence[Path], meaning: Meaning, skipped: list[Skipped]) -> Iterator[Region]:
    for path in files:
        unknown: list[str] = []
        for uid, contours in read_workspace(path).items():
            places = cine.places_of([(uid, None)])
            for name, several in _by_name(contours).items():
                structure = _structure(name, meaning)
                where = f"{path}, {name}"
                try:
                    if structure is None:
                        unknown += _unknown(name) if places else ()
                    elif structure not in (Structure.OTHER, Structure.BACKGROUND):
                        inside = _inside(several, cine.stack.grid.shape[1:])
                        yield Region(structure, *_only(places), inside, where)
                except UnusableError as error:
                    skipped.append(Skipped(where, error.message))
        skipped += remark_on_names(path, unknown)


def _by_name(contours: Sequence[Cvi42Contour]) -> Mapping[str, list[Cvi42Contour]]:
    by_name: dict[str, list[Cvi42Contour]] = defaultdict(list)
    for contour in contours:
        by_name[contour.name].append(contour)
    return by_name


def _structure(name: str, meaning: Meaning) -> Structure | None:
    if structure := meaning.structure(name):
        return structure
    return Structure.OTHER if normalised(name).startswith(tuple(map(normalised, _OTHERS))) else None


def _unknown(name: str) -> tuple[str, ...]:
    """The name, for a remark; an open contour is said as such."""
    if normalised(name).endswith(_OPEN):
        raise UnusableError("an open contour: it encloses no area (if --structures lists it, its ends are joined)")
    return (name,)


def _only(places: Sequence[Place]) -> Place:
    if not places:
        raise UnusableError("its image is not in the cine")
    if len(places) > 1:
        raise UnusableError(f"it does not say to which of {len(places)} frames of its image it belongs")
    return places[0]


def _inside(contours: Sequence[Cvi42Contour], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """All that the contours of one name enclose."""
    inside = np.zeros(shape, np.bool_)
    for contour in contours:
        if contour.problem:
            raise UnusableError(contour.problem)
        if len(contour.points) < 3:
            raise UnusableError("fewer than three points")
        if (contour.points < -_MARGIN).any() or (contour.points > np.array(shape) - 1 + _MARGIN).any():
            raise UnusableError("its points lie outside the image")
        inside |= polygon_mask(contour.points, shape)
    if not inside.any():
        raise UnusableError("no centre of a pixel lies inside")
    return inside
