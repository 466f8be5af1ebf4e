"""NRRD: images and label maps as 3D Slicer and ITK save them: `scan.nrrd`, `cine.seq.nrrd`, `Segmentation.nrrd`.

The format: https://teem.sourceforge.net/nrrd/format.html. A header of text lines, an empty line, then the voxels.
Slicer saves the phases of a film along an axis without a direction (`list`), the first or the last; ITK saves them
along the last of four axes of a space of four dimensions, which it does not name, and which is LPS and time.
"""

import re
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.alignment import slices_first
from cardioseg.image.length_units import mm_per_unit
from cardioseg.image.nrrd_header import NrrdHeader, read_header, read_parts
from cardioseg.image.nrrd_times import stored_times_ms
from cardioseg.image.nrrd_voxels import unpacked
from cardioseg.image.stored_axes import grid_along
from cardioseg.image.volume import LARGEST_VECTOR, Cine, Grid, Voxels, times_ms

NAME = "NRRD"
SUFFIXES: tuple[str, ...] = (".nrrd",)
PARTS: tuple[str, ...] = ()
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
_OF_PHASES = {"domain", "space", "time", "list", "vector", "none", "???"}  # kinds of axes; others are of colours
_AS_LABEL_MAP = "export it as a label map"


def read_cine(path: Path) -> Cine:
    """A 3D or 4D image; a 3D image is a cine of one phase. The slice axis is moved to the front.

    Raises:
        UnusableError: unreadable, damaged, without a position in space, too large, or segments in several layers.
    """
    cine = read_stored(path)
    if cine.phases <= LARGEST_VECTOR and "vector" in read_header(path).fields.get("kinds", ""):
        raise UnusableError(f"{path}: its voxels are not one real number each")
    return slices_first(cine)


def read_grid(path: Path) -> tuple[Grid, int]:
    """The grid of each phase and the number of phases.

    Raises:
        UnusableError: as `read_cine`.
    """
    cine = read_cine(path)
    return cine.grid, cine.phases


def read_sample(path: Path) -> Voxels:
    """The voxels of the first phase, or of all phases if the first is constant.

    Raises:
        UnusableError: as `read_cine`.
    """
    return read_cine(path).sample


def files(path: Path) -> tuple[Path, ...]:
    """The file."""
    return (path,)


def is_4d(path: Path) -> bool:
    """Whether the image has a time axis.

    Raises:
        UnusableError: as `read_cine`.
    """
    return len(_sizes(path, _header(path).fields)) == 4


def read_stored(path: Path) -> Cine:
    """As `read_cine`, with the axes in the order of the file.

    Raises:
        UnusableError: as `read_cine`.
    """
    header, packed = read_parts(path)
    _require_one_layer(path, header)
    return _read(path, header, packed)


def read_layers(path: Path) -> Cine:
    """As `read_stored`, for a segmentation of 3D Slicer: its layers, which may overlap, are the phases.

    Raises:
        UnusableError: as `read_cine`, but not for several layers.
    """
    header, packed = read_parts(path)
    return _read(path, header, packed)


def _header(path: Path) -> NrrdHeader:
    header = read_header(path)
    _require_one_layer(path, header)
    return header


def _require_one_layer(path: Path, header: NrrdHeader) -> None:
    if header.has_layers:
        raise UnusableError(f"{path}: its segments lie in several layers", _AS_LABEL_MAP)


def _read(path: Path, header: NrrdHeader, packed: bytes) -> Cine:
    try:
        return _cine(path, header, packed)
    except (KeyError, ValueError, OverflowError, np.linalg.LinAlgError):
        raise UnusableError(f"{path}: not a readable NRRD file") from None


def _cine(path: Path, header: NrrdHeader, packed: bytes) -> Cine:
    fields = header.fields
    if "data file" in fields or "datafile" in fields:
        raise UnusableError(f"{path}: its voxels are in another file", "save it as one .nrrd file")
    kind, sizes, to_lps_mm = _kind(path, fields), _sizes(path, fields), _to_lps_mm(path, fields)
    if prod(sizes) > min(_VOXELS_LIMIT, _VOXELS_LIMIT_BYTES // kind.itemsize):
        raise UnusableError(f"{path}: too large", "save a label map as unsigned char, and an image as short")
    content = unpacked(path, fields, packed, prod(sizes) * kind.itemsize)
    voxels = np.frombuffer(content, _with_byte_order(kind, fields)).reshape(sizes[::-1]).astype(kind)
    vectors = _directions(fields)
    if len(sizes) == 3:
        return Cine(voxels[None], _grid(path, fields, to_lps_mm, vectors, voxels.shape))
    if not set(fields.get("kinds", "").lower().split()) <= _OF_PHASES:
        raise UnusableError(f"{path}: its voxels are not one real number each")
    phases = _phase_axis(vectors)
    voxels = np.moveaxis(voxels, 3 - phases, 0)  # NumPy counts the axes from the other end
    if any(step < 0 for step in vectors[phases][3:]):
        voxels = voxels[::-1]  # the last phase is stored first
    grid = _grid(path, fields, to_lps_mm, vectors[:phases] + vectors[phases + 1 :], voxels.shape[1:])
    if len(vectors[phases]) == 4:
        return Cine(voxels, grid, times_ms(abs(vectors[phases][3]), len(voxels)))
    return Cine(voxels, grid, stored_times_ms(fields, header.keys, phases, len(voxels)))


def _kind(path: Path, fields: dict[str, str]) -> "np.dtype[Any]":
    name = fields["type"].lower()
    if name not in _KINDS:
        raise UnusableError(f"{path}: its voxels are of the type {name[:30]}", "save it as short")
    return np.dtype(_KINDS[name])


def _sizes(path: Path, fields: dict[str, str]) -> list[int]:
    sizes = [int(size) for size in fields["sizes"].split()]
    if len(sizes) not in (3, 4):
        raise UnusableError(f"{path}: {len(sizes)} dimensions, expected 3 or 4")
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


def _grid(
    path: Path,
    fields: dict[str, str],
    to_lps_mm: NDArray[np.float64],
    vectors: list[list[float]],
    shape: tuple[int, ...],
) -> Grid:
    columns, rows, slices = (_in_space(vector) * to_lps_mm for vector in vectors)
    steps = np.array([columns, rows, slices])
    spacing = np.linalg.norm(steps, axis=1)
    origin = np.array(_numbers(fields["space origin"])[:3]) * to_lps_mm
    if not np.isfinite(steps).all() or not (spacing > 0).all() or len(origin) != 3:
        raise ValueError("no geometry")
    size = shape[2], shape[1], shape[0]
    return grid_along(path, size, spacing, origin, steps / spacing[:, None])


def _to_lps_mm(path: Path, fields: dict[str, str]) -> NDArray[np.float64]:
    """The factors that turn the file's coordinates into LPS in mm; ITK does not name spaces of four dimensions."""
    is_itk = fields.get("space dimension") == "4"
    space = _TIMED.sub("", fields.get("space", "lps" if is_itk else "").lower())
    if space not in _TO_LPS or not {"space directions", "space origin"} <= set(fields):
        raise UnusableError(
            f"{path}: it does not say where in the patient it lies", "save it with the space LPS or RAS"
        )
    units = [*re.findall(r'"([^"]*)"', fields.get("space units", "")), "", "", ""][:3]
    return np.array(_TO_LPS[space], np.float64) * [mm_per_unit(path, unit) for unit in units]


def _in_space(vector: list[float]) -> NDArray[np.float64]:
    """A vector without its component along time, which must be 0."""
    if len(vector) not in (3, 4) or any(vector[3:]):
        raise ValueError("no vector in space")
    return np.array(vector[:3])


def _numbers(vector: str) -> list[float]:
    return [] if vector == "none" else [float(value) for value in vector.strip(" ()").split(",")]
