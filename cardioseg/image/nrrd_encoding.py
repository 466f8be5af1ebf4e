"""NRRD encoding: a label map as the bytes of a NRRD file, with keys for 3D Slicer in its header.

The format: https://teem.sourceforge.net/nrrd/format.html. SimpleITK cannot write an axis without a direction, which
3D Slicer needs for the phases of a sequence.
"""

import gzip
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.volume import Cine, Grid, Volume, Voxels

_VERSION = "NRRD0005"
_DOMAIN, _LIST = "domain", "list"


def encode_volume(volume: Volume, keys: Mapping[str, str]) -> bytes:
    """The bytes of a label map of one phase.

    Args:
        volume: labels below 256 (slice, row, column).
        keys: what the header says besides; none may hold a line break.
    """
    return _encoded(volume.voxels, _geometry(volume.grid), keys)


def encode_sequence(cine: Cine, axis_name: str, axis_unit: str, keys: Mapping[str, str]) -> bytes:
    """The bytes of a label map of all phases: the phases are the first axis, a list without a direction.

    Args:
        cine: labels below 256 (phase, slice, row, column).
        axis_name: what the values along the phases are, such as `time`.
        axis_unit: the unit of these values, or nothing.
        keys: what the header says besides; none may hold a line break.
    """
    geometry = _geometry(cine.grid)
    fields = geometry | {
        "space directions": f"none {geometry['space directions']}",
        "kinds": f"{_LIST} {geometry['kinds']}",
        "labels": _quoted(axis_name),
        "units": _quoted(axis_unit),
    }
    return _encoded(np.moveaxis(cine.voxels, 0, -1), fields, keys)


def _encoded(voxels: Voxels, fields: Mapping[str, str], keys: Mapping[str, str]) -> bytes:
    """The header and the compressed voxels, whose last axis is the first in the header."""
    own = {
        "type": "unsigned char",
        "dimension": str(voxels.ndim),
        "space": "left-posterior-superior",
        "sizes": _joined(voxels.shape[::-1]),
    }
    lines = [f"{name}: {value}" for name, value in (own | dict(fields) | {"encoding": "gzip"}).items()]
    lines += [f"{name}:={value}" for name, value in keys.items()]
    packed = gzip.compress(np.ascontiguousarray(voxels, np.uint8).tobytes(), mtime=0)
    return "\n".join([_VERSION, *lines, "", ""]).encode() + packed


def _geometry(grid: Grid) -> dict[str, str]:
    """The fields that say where the voxels lie: columns first, then rows, then slices."""
    steps = np.asarray(grid.directions) * np.asarray(grid.spacing_mm)[:, None]
    return {
        "space directions": " ".join(map(_vector, steps[::-1])),
        "kinds": _joined([_DOMAIN] * 3),
        "space origin": _vector(np.asarray(grid.origin_mm)),
    }


def _vector(numbers: NDArray[np.float64]) -> str:
    return f"({','.join(map(repr, (numbers + 0.0).tolist()))})"  # no minus zero


def _quoted(first: str) -> str:
    """Texts for the axes of a sequence, of which only the first has one."""
    return _joined(f'"{text}"' for text in (first, "", "", ""))


def _joined(values: Iterable[object]) -> str:
    return " ".join(map(str, values))
