"""NRRD: label maps as 3D Slicer saves them, `Segmentation.nrrd` or `mask.seg.nrrd`. Read, never written.

The format: https://teem.sourceforge.net/nrrd/format.html. A header of text lines, an empty line, then the voxels.
"""

import re
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.files import require_size_below
from cardioseg.image.volume import Grid, Volume, Voxels

_FILE_LIMIT_BYTES, _HEADER_LIMIT_BYTES, _VOXELS_LIMIT = 512 * 1024**2, 1024**2, 128 * 1024**2
_TYPES = {
    "u1": ("unsigned char", "uchar", "uint8", "uint8_t"),
    "i1": ("signed char", "int8", "int8_t"),
    "u2": ("unsigned short", "ushort", "unsigned short int", "uint16", "uint16_t"),
    "i2": ("short", "short int", "signed short", "int16", "int16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("unsigned int", "uint", "uint32", "uint32_t"),
}
_KINDS = {name: kind for kind, names in _TYPES.items() for name in names}
_TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_AS_LABEL_MAP = "export it as a label map"


def read_labels(path: Path) -> Volume:
    """Read a 3D label map.

    Raises:
        UnusableError: unreadable, damaged, without a place in space, or segments in several layers.
    """
    try:
        require_size_below(path, _FILE_LIMIT_BYTES)
        content = path.read_bytes()
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {(error.strerror or '').lower()}") from None
    head, _, packed = content.replace(b"\r\n", b"\n", 1).partition(b"\n\n")
    if not head.startswith(b"NRRD") or len(head) > _HEADER_LIMIT_BYTES:
        raise UnusableError(f"{path}: not a readable NRRD file")
    fields = _fields(head.decode(errors="replace"))
    try:
        return _volume(path, fields, packed)
    except (KeyError, ValueError, np.linalg.LinAlgError):
        raise UnusableError(f"{path}: not a readable NRRD file") from None


def on_grid(part: Volume, grid: Grid, tolerance_mm: float) -> Voxels | None:
    """The voxels on a grid that the volume lies within, 0 around it; None where it does not lie on the grid.

    3D Slicer may save no more than the box around its segments.
    """
    steps, own = _steps(grid), _steps(part.grid)
    if (np.abs(steps - own).max(axis=1) * part.grid.shape > tolerance_mm).any():
        return None
    away = np.subtract(part.grid.origin_mm, grid.origin_mm)
    index = np.linalg.solve(steps.T, away)
    first = np.rint(index).astype(int)
    last = first + part.grid.shape
    if np.abs((index - first) @ steps).max() > tolerance_mm or (first < 0).any() or (last > grid.shape).any():
        return None
    whole = np.zeros(grid.shape, part.voxels.dtype)
    whole[tuple(slice(a, b) for a, b in zip(first, last, strict=True))] = part.voxels
    return whole


def _steps(grid: Grid) -> NDArray[np.float64]:
    """From a voxel to the next, in mm: a row for each axis (slice, row, column)."""
    return np.asarray(np.asarray(grid.directions) * np.asarray(grid.spacing_mm)[:, None], np.float64)


def _fields(head: str) -> dict[str, str]:
    """The header's fields; what Slicer adds about its segments has `:=` and is left out."""
    lines = (line.partition(": ") for line in head.splitlines() if not line.startswith("#") and ":=" not in line)
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _volume(path: Path, fields: dict[str, str], packed: bytes) -> Volume:
    sizes = [int(size) for size in fields["sizes"].split()]
    if "data file" in fields or "datafile" in fields:
        raise UnusableError(f"{path}: its voxels are in another file", "save it as one .nrrd file")
    if len(sizes) == 4 and fields.get("kinds", "").split()[:1] in (["list"], ["vector"]):
        raise UnusableError(f"{path}: its segments lie in several layers", _AS_LABEL_MAP)
    if len(sizes) != 3 or not 0 < prod(sizes) <= _VOXELS_LIMIT or min(sizes) < 1:
        raise UnusableError(f"{path}: not a 3D label map", _AS_LABEL_MAP)
    kind = np.dtype(_KINDS[fields["type"].lower()])
    voxels = np.frombuffer(_unpacked(path, fields, packed, prod(sizes) * kind.itemsize), _ordered(kind, fields))
    return Volume(voxels.reshape(sizes[::-1]).astype(kind), _grid(fields, (sizes[2], sizes[1], sizes[0])))


def _ordered(kind: "np.dtype[np.generic]", fields: dict[str, str]) -> "np.dtype[np.generic]":
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


def _grid(fields: dict[str, str], shape: tuple[int, int, int]) -> Grid:
    signs = np.array(_TO_LPS[fields["space"].lower()])
    columns, rows, slices = (np.array(vector) * signs for vector in _vectors(fields["space directions"]))
    steps = np.array([slices, rows, columns])
    spacing = np.linalg.norm(steps, axis=1)
    (origin,) = _vectors(fields["space origin"])
    if not np.isfinite(steps).all() or not (spacing > 0).all() or not np.isfinite(origin).all():
        raise ValueError("no geometry")
    z, y, x = (tuple(map(float, step / mm)) for step, mm in zip(steps, spacing, strict=True))
    dz, dy, dx = map(float, spacing)
    a, b, c = (float(mm) for mm in np.array(origin) * signs)
    return Grid(shape, (dz, dy, dx), (a, b, c), (z, y, x))  # type: ignore[arg-type]


def _vectors(text: str) -> list[list[float]]:
    return [[float(value) for value in vector.split(",")] for vector in re.findall(r"\(([^()]*)\)", text)]
