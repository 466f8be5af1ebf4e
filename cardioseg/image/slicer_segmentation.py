"""Slicer segmentation: a `.seg.nrrd` file of 3D Slicer, whose segments have names and coded meanings.

Segments that do not overlap share a layer, where each has its number; others lie in a layer of their own. Slicer up to
4.10 gave each segment a layer with the number 1. The file may hold only the box around its segments: its own geometry
says where that lies. Source: Slicer's documentation of the file format,
https://slicer.readthedocs.io/en/latest/developer_guide/modules/segmentations.html.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.image.nrrd import SUFFIXES, read_layers
from cardioseg.image.nrrd_header import read_header
from cardioseg.image.volume import Cine

_KEY = re.compile(r"Segment(?P<number>\d{1,4})_(?P<name>\w+)")
_TERM = "TerminologyEntry:"
_TYPE = 2  # place of the segment's type in a terminology entry, after the context and the category
_WHAT = "its segments do not say "


@dataclass(frozen=True)
class SlicerSegment:
    """One segment.

    Attributes:
        name: as Slicer shows it.
        code: scheme and value of its type; empty if it has none.
        layer: in which it lies, from 0.
        number: of its voxels there.
    """

    name: str
    code: tuple[str, str]
    layer: int
    number: int


@dataclass(frozen=True)
class SlicerSegmentation:
    """The segments of a file.

    Attributes:
        layers: their numbers (layer, slice, row, column), on the grid of the file.
        segments: in the order of the file.
    """

    layers: Cine = field(repr=False)
    segments: tuple[SlicerSegment, ...]


def is_segmentation(path: Path) -> bool:
    """Whether a file is a segmentation of 3D Slicer, by its header; False if it cannot be read."""
    try:
        return path.name.lower().endswith(SUFFIXES) and read_header(path).has_segments
    except UnusableError:
        return False


def read_segmentation(path: Path) -> SlicerSegmentation:
    """Read a segmentation of 3D Slicer.

    Raises:
        UnusableError: unreadable, damaged, or its segments do not say which voxels are theirs.
    """
    layers = read_layers(path)
    described: dict[int, dict[str, str]] = defaultdict(dict)
    for key, value in read_header(path).keys.items():
        if match := _KEY.fullmatch(key):
            described[int(match["number"])][match["name"]] = value.strip()
    try:
        in_order = [keys for _, keys in sorted(described.items())]
        segments = tuple(_segment(place, keys, layers.phases) for place, keys in enumerate(in_order))
    except ValueError:
        raise UnusableError(f"{path}: {_WHAT}which voxels are theirs") from None
    places = {(segment.layer, segment.number) for segment in segments}
    if len(places) < len(segments) or not all(0 <= layer < layers.phases for layer, _ in places):
        raise UnusableError(f"{path}: {_WHAT}clearly which voxels are theirs")
    return SlicerSegmentation(layers, segments)


def _segment(place: int, keys: Mapping[str, str], layers: int) -> SlicerSegment:
    layer, number = keys.get("Layer"), keys.get("LabelValue")
    if number is None and place >= layers:  # several segments in a layer, and none says its number
        raise ValueError("no number")
    return SlicerSegment(
        keys.get("Name", keys.get("ID", "")),
        _code(keys.get("Tags", "")),
        int(layer) if layer is not None else place if number is None or layers > 1 else 0,
        int(number or 1),
    )


def _code(tags: str) -> tuple[str, str]:
    """Scheme and value of a segment's type: `TerminologyEntry:context~category~type~...`, a type `SCT^123^Name`."""
    entries = (tag.strip().removeprefix(_TERM).split("~") for tag in tags.split("|") if tag.strip().startswith(_TERM))
    parts = next(entries, [])[_TYPE : _TYPE + 1]
    scheme, _, rest = parts[0].partition("^") if parts else ("", "", "")
    value = rest.partition("^")[0]
    return (scheme, value) if value else ("", "")
