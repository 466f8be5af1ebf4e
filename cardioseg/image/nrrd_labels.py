"""NRRD: read label maps as 3D Slicer and ITK save them, `Segmentation.nrrd` or `mask.seg.nrrd`.

The format: https://teem.sourceforge.net/nrrd/format.html. A header of text lines, an empty line, then the voxels.
Slicer saves the phases of a film along an axis without a direction (`list`), the first or the last; ITK saves them
along the last of four axes of a space of four dimensions, which it does not name, and which is LPS and time.
"""

import re
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.files import require_size_below
from cardioseg.image.alignment import turned_to
from cardioseg.image.volume import Cine, Grid

_FILE_LIMIT_BYTES, _HEADER_LIMIT_BYTES = 512 * 1024**2, 1024**2
_VOXELS_LIMIT, _VOXELS_LIMIT_BYTES = 128 * 1024**2, 512 * 1024**2
_TYPES = {
    "u1": ("unsigned char", "uchar", "uint8", "uint8_t"),
    "i1": ("signed char", "int8", "int8_t"),
    "u2": ("unsigned short", "ushort", "unsigned short int", "uint16", "uint16_t"),
    "i2": ("short", "short int", "signed short", "int16", "int16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("unsigned int", "uint", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_KINDS = {name: kind for kind, names in _TYPES.items() for name in names}
_TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_TIMED = re.compile("-time$|(?<=^...)t$")  # left-posterior-superior-time, LPST
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_AS_LABEL_MAP = "export it as a label map"


def read_labels(path: Path) -> Cine:
    """Read a 3D label map, or a 4D label map of several phases.

    Raises:
        UnusableError: unreadable, damaged, without a position in space, or segments in several layers.
    """
    try:
        require_size_below(path, _FILE_LIMIT_BYTES)
        content = path.read_bytes()
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {(error.strerror or '').lower()}") from None
    head, *packed = _EMPTY_LINE.split(content, maxsplit=1)
    if not head.startswith(b"NRRD") or len(head) > _HEADER_LIMIT_BYTES:
        raise UnusableError(f"{path}: not a readable NRRD file")
    fields = _fields(head.decode(errors="replace"))
    if b"\nSegment0_" in head and {"list", "vector"} & set(fields.get("kinds", "").split()):
        raise UnusableError(f"{path}: its segments lie in several layers", _AS_LABEL_MAP)
    try:
        return _cine(path, fields, b"".join(packed))
    except (KeyError, ValueError, np.linalg.LinAlgError):
        raise UnusableError(f"{path}: not a readable NRRD file") from None


def on_grid(part: Cine, grid: Grid, tolerance_mm: float) -> Cine | None:
    """The label map on a larger grid, with 0 around it; None if its voxels are not voxels of the grid.

    3D Slicer may save only the box around its segments, and programs use different orders and directions of axes.
    """
    part = turned_to(part, grid)
    steps, part_steps = _steps(grid), _steps(part.grid)
    if (np.abs(steps - part_steps).max(axis=1) * part.grid.shape > tolerance_mm).any():
        return None
    offset_mm = np.subtract(part.grid.origin_mm, grid.origin_mm)
    index = np.linalg.solve(steps.T, offset_mm)
    first = np.rint(index).astype(int)
    last = first + part.grid.shape
    if np.abs((index - first) @ steps).max() > tolerance_mm or (first < 0).any() or (last > grid.shape).any():
        return None
    whole = np.zeros((part.phases, *grid.shape), part.voxels.dtype)
    whole[:, *(slice(start, stop) for start, stop in zip(first, last, strict=True))] = part.voxels
    return Cine(whole, grid)


def _steps(grid: Grid) -> NDArray[np.float64]:
    """The step from a voxel to the next, in mm: one row for each axis (slice, row, column)."""
    return np.asarray(np.asarray(grid.directions) * np.asarray(grid.spacing_mm)[:, None], np.float64)


def _fields(head: str) -> dict[str, str]:
    """The header's fields, without those that Slicer adds about its segments, which have `:=`."""
    lines = (line.partition(": ") for line in head.splitlines() if not line.startswith("#") and ":=" not in line)
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _cine(path: Path, fields: dict[str, str], packed: bytes) -> Cine:
    if "data file" in fields or "datafile" in fields:
        raise UnusableError(f"{path}: its voxels are in another file", "save it as one .nrrd file")
    kind, sizes, signs = _kind(path, fields), _sizes(path, fields), _signs(path, fields)
    if prod(sizes) > min(_VOXELS_LIMIT, _VOXELS_LIMIT_BYTES // kind.itemsize):
        raise UnusableError(f"{path}: too large for a label map", "save it as unsigned char")
    content = _unpacked(path, fields, packed, prod(sizes) * kind.itemsize)
    voxels = np.frombuffer(content, _with_byte_order(kind, fields)).reshape(sizes[::-1]).astype(kind)
    vectors = _directions(fields)
    if len(sizes) == 3:
        return Cine(voxels[None], _grid(fields, signs, vectors, voxels.shape))
    phases = _phase_axis(vectors)
    voxels = np.moveaxis(voxels, 3 - phases, 0)  # NumPy counts the axes from the other end
    if any(step < 0 for step in vectors[phases][3:]):
        voxels = voxels[::-1]  # the last phase is stored first
    return Cine(voxels, _grid(fields, signs, vectors[:phases] + vectors[phases + 1 :], voxels.shape[1:]))


def _kind(path: Path, fields: dict[str, str]) -> "np.dtype[Any]":
    name = fields["type"].lower()
    if name not in _KINDS:
        raise UnusableError(f"{path}: its voxels are of the type {name[:30]}", "save it as unsigned char")
    return np.dtype(_KINDS[name])


def _sizes(path: Path, fields: dict[str, str]) -> list[int]:
    sizes = [int(size) for size in fields["sizes"].split()]
    if len(sizes) not in (3, 4):
        raise UnusableError(f"{path}: {len(sizes)} dimensions, expected 3 or 4", _AS_LABEL_MAP)
    if min(sizes) < 1:
        raise ValueError("no voxels")
    return sizes


def _directions(fields: dict[str, str]) -> list[list[float]]:
    """A vector for each axis; empty if the axis has no direction."""
    return [_numbers(vector) for vector in re.findall(r"none|\([^()]*\)", fields["space directions"])]


def _phase_axis(vectors: list[list[float]]) -> int:
    """The axis of the phases: the one of four without a direction in space, else the last."""
    return next((axis for axis, vector in enumerate(vectors) if not any(vector[:3])), len(vectors) - 1)


def _with_byte_order(kind: "np.dtype[Any]", fields: dict[str, str]) -> "np.dtype[Any]":
    return kind.newbyteorder(">" if fields.get("endian", "little").lower() == "big" else "<")


def _unpacked(path: Path, fields: dict[str, str], packed: bytes, size: int) -> bytes:
    encoding = fields["encoding"].lower()
    if encoding not in ("raw", "gzip", "gz"):
        raise UnusableError(f"{path}: its voxels are encoded as {encoding[:20]}", "save it raw or with gzip")
    try:
        content = packed if encoding == "raw" else zlib.decompressobj(31).decompress(packed, size + 1)
    except zlib.error:
        content = b""
    if len(content) != size:
        raise UnusableError(f"{path}: damaged or truncated")
    return content


def _grid(
    fields: dict[str, str], signs: NDArray[np.float64], vectors: list[list[float]], shape: tuple[int, ...]
) -> Grid:
    columns, rows, slices = (_in_space(vector) * signs for vector in vectors)
    steps = np.array([slices, rows, columns])
    spacing = np.linalg.norm(steps, axis=1)
    origin = np.array(_numbers(fields["space origin"])[:3]) * signs
    if not np.isfinite(steps).all() or not (spacing > 0).all() or not np.isfinite(origin).all():
        raise ValueError("no geometry")
    z, y, x = (tuple(map(float, step / mm)) for step, mm in zip(steps, spacing, strict=True))
    dz, dy, dx = map(float, spacing)
    a, b, c = map(float, origin)
    return Grid(shape, (dz, dy, dx), (a, b, c), (z, y, x))  # type: ignore[arg-type]


def _signs(path: Path, fields: dict[str, str]) -> NDArray[np.float64]:
    """The signs that turn the file's coordinates into LPS; ITK does not name spaces of four dimensions."""
    is_itk = fields.get("space dimension") == "4"
    space = _TIMED.sub("", fields.get("space", "lps" if is_itk else "").lower())
    if space not in _TO_LPS or not {"space directions", "space origin"} <= set(fields):
        raise UnusableError(
            f"{path}: it does not say where in the patient it lies", "save it with the space LPS or RAS"
        )
    return np.array(_TO_LPS[space], np.float64)


def _in_space(vector: list[float]) -> NDArray[np.float64]:
    """A vector without its component along time, which must be 0."""
    if len(vector) not in (3, 4) or any(vector[3:]):
        raise ValueError("no vector in space")
    return np.array(vector[:3])


def _numbers(vector: str) -> list[float]:
    return [] if vector == "none" else [float(value) for value in vector.strip(" ()").split(",")]
