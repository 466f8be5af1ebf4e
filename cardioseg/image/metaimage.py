"""MetaImage: `.mha`, or `.mhd` with its voxels in another file of the same folder, as ITK and elastix save images.

The format: https://itk.org/Wiki/ITK/MetaIO/Documentation. Coordinates are LPS; each row of the matrix is the direction
of one axis. A fourth axis is time, in seconds; ITK also stores phases as the components of each voxel. Files are parsed
here and not by ITK, which damaged headers can crash.
"""

import re
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from cardioseg.archive.member_paths import is_file, open_file, size_bytes
from cardioseg.errors import UnusableError, reason_of
from cardioseg.files import require_size_below
from cardioseg.image.alignment import slice_order, slices_first
from cardioseg.image.length_units import mm_per_unit
from cardioseg.image.stored_axes import grid_along
from cardioseg.image.volume import LARGEST_VECTOR, Cine, Grid, Voxels, times_ms
from cardioseg.image.voxel_limits import FILE_LIMIT_BYTES, require_few_voxels, require_plausible_packing

NAME = "MetaImage"
SUFFIXES: tuple[str, ...] = (".mha", ".mhd")
PARTS: tuple[str, ...] = (".raw", ".zraw")
_HEADER_LIMIT_BYTES = 64 * 1024
_KINDS = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_END = re.compile(rb"^[ \t]*ElementDataFile[ \t]*=[ \t]*([^\r\n]*)\r?\n?", re.MULTILINE)
_PLAIN_NAME = re.compile(r"[^/\\%:\0]+")
_ONE_FILE = "save it as one .mha file"


@dataclass(frozen=True)
class Header:
    """What a file says before its voxels.

    Attributes:
        size: (columns, rows, slices) or (columns, rows, slices, phases).
        is_interleaved: whether the phases are stored as the components of each voxel.
        kind: the stored number type, with its byte order.
        grid: of each phase, its axes in the order of the file.
        step_s: seconds between phases, as stored.
        voxels: the file that has them.
        offset_bytes: of the first voxel in it; None if the voxels are its last bytes.
        packed_bytes: of the voxels, if they are packed; 0 if that is not said; None if they are not packed.
    """

    size: tuple[int, ...]
    kind: np.dtype[Any]
    grid: Grid
    step_s: float
    voxels: Path
    offset_bytes: int | None
    packed_bytes: int | None
    is_interleaved: bool

    @property
    def phases(self) -> int:
        """Number of phases."""
        return prod(self.size[3:])


def read_cine(path: Path) -> Cine:
    """A 3D or 4D image; a 3D image is a cine of one phase. The slice axis is moved to the front.

    Raises:
        UnusableError: unreadable, damaged, not 3D or 4D, without a valid geometry, or too large.
    """
    header = _header(path)
    voxels = _voxels(path, header)
    if header.is_interleaved:
        voxels = np.moveaxis(voxels.reshape(*header.grid.shape, header.phases), -1, 0)
    else:
        voxels = voxels.reshape(header.phases, *header.grid.shape)
    return slices_first(Cine(voxels, header.grid, times_ms(header.step_s, header.phases)))


def read_grid(path: Path) -> tuple[Grid, int]:
    """The grid of each phase and the number of phases.

    Raises:
        UnusableError: as `read_cine`, as far as the header tells.
    """
    header = _header(path)
    return header.grid.turned(slice_order(header.grid)), header.phases


def read_sample(path: Path) -> Voxels:
    """The voxels of the first phase, or of all phases if the first is constant.

    Raises:
        UnusableError: as `read_cine`.
    """
    return read_cine(path).sample


def files(path: Path) -> tuple[Path, ...]:
    """The file, and that of its voxels if there is one; the file alone if it cannot be read."""
    try:
        return tuple(dict.fromkeys((path, _header(path).voxels)))
    except UnusableError:
        return (path,)


def is_4d(path: Path) -> bool:
    """Whether the image has a time axis.

    Raises:
        UnusableError: the header cannot be read.
    """
    return len(_header(path).size) == 4


def _header(path: Path) -> Header:
    start = _content(path, 0, _HEADER_LIMIT_BYTES)
    end = _END.search(start)
    if end is None:
        raise UnusableError(f"{path}: not a readable MetaImage file")
    fields = _fields(start[: end.start()].decode(errors="replace"))
    try:
        return _checked(path, fields, _voxel_file(path, end[1].decode(errors="replace").strip()), end.end())
    except (KeyError, ValueError, OverflowError):
        raise UnusableError(f"{path}: not a readable MetaImage file") from None


def _fields(text: str) -> dict[str, str]:
    lines = (line.partition("=") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, equals, value in lines if equals}


def _checked(path: Path, fields: dict[str, str], voxels: Path | None, end: int) -> Header:
    sides, kind, channels = _size(path, fields), _kind(path, fields), _channels(path, fields)
    count = len(sides)
    size = sides if channels == 1 else (*sides, channels)
    require_few_voxels(path, size)
    spacing = _numbers(fields, ("elementspacing", "elementsize"), [1.0] * count)
    origin = _numbers(fields, ("offset", "position", "origin"), [0.0] * count)
    axes = _numbers(fields, ("transformmatrix", "rotation", "orientation"), np.eye(count).ravel().tolist())
    matrix = np.reshape(axes, (count, count))
    if np.abs(matrix[3:, :3]).any() or np.abs(matrix[:3, 3:]).any():
        raise UnusableError(f"{path}: its time axis is not perpendicular to space")
    unit_mm = mm_per_unit(path, fields.get("distanceunits", ""))
    spacing_mm, origin_mm = (unit_mm * np.array(numbers[:3]) for numbers in (spacing, origin))
    grid = grid_along(path, size, spacing_mm, origin_mm, matrix[:3, :3])
    skipped = int(fields.get("headersize", "0"))
    offset = end if voxels is None else max(skipped, 0)
    is_packed = _is_true(fields, "compresseddata")
    packed = int(fields.get("compresseddatasize", "0")) if is_packed else None
    is_last = skipped == -1 and not is_packed
    step_s = spacing[3] if count == 4 and np.isfinite(spacing[3]) else 0.0
    return Header(size, kind, grid, step_s, voxels or path, None if is_last else offset, packed, channels > 1)


def _size(path: Path, fields: dict[str, str]) -> tuple[int, ...]:
    size = tuple(int(side) for side in fields["dimsize"].split())
    if len(size) != int(fields["ndims"]) or min(size, default=0) < 1:
        raise ValueError("no voxels")
    if len(size) not in (3, 4):
        raise UnusableError(f"{path}: {len(size)} dimensions, expected 3 or 4")
    return size


def _channels(path: Path, fields: dict[str, str]) -> int:
    """The numbers of a voxel, which are the phases of a 3D image if they are too many for a vector or a colour."""
    channels = int(fields.get("elementnumberofchannels", "1"))
    if channels != 1 and (channels <= LARGEST_VECTOR or int(fields["ndims"]) != 3):
        raise UnusableError(f"{path}: its voxels are not one real number each")
    return channels


def _kind(path: Path, fields: dict[str, str]) -> np.dtype[Any]:
    if fields["elementtype"].upper() not in _KINDS:
        raise UnusableError(f"{path}: its voxels are not one real number each")
    if not _is_true(fields, "binarydata", otherwise=True):
        raise UnusableError(f"{path}: its voxels are written as text", "save it in binary form")
    is_big = _is_true(fields, "binarydatabyteordermsb") or _is_true(fields, "elementbyteordermsb")
    return np.dtype(_KINDS[fields["elementtype"].upper()]).newbyteorder(">" if is_big else "<")


def _is_true(fields: dict[str, str], name: str, *, otherwise: bool = False) -> bool:
    return fields[name][:1].upper() in ("T", "1") if name in fields else otherwise


def _numbers(fields: dict[str, str], names: tuple[str, ...], otherwise: list[float]) -> list[float]:
    text = next((fields[name] for name in names if name in fields), None)
    numbers = otherwise if text is None else [float(number) for number in text.split()]
    if len(numbers) != len(otherwise):
        raise ValueError("another number of values")
    return numbers


def _voxel_file(path: Path, name: str) -> Path | None:
    """The file with the voxels; None if they follow the header."""
    if name.upper() == "LOCAL":
        return None
    if not _PLAIN_NAME.fullmatch(name) or name.upper().startswith("LIST"):
        raise UnusableError(f"{path}: its voxels lie in several files or in another folder", _ONE_FILE)
    if not is_file(path.with_name(name)):
        raise UnusableError(f"{path}: the file of its voxels is missing", "keep both files in one folder")
    return path.with_name(name)


def _voxels(path: Path, header: Header) -> Voxels:
    voxels_bytes = prod(header.size) * header.kind.itemsize
    stored_bytes = size_bytes(header.voxels)
    require_plausible_packing(path, voxels_bytes, stored_bytes)
    if header.packed_bytes is None:
        offset = stored_bytes - voxels_bytes if header.offset_bytes is None else header.offset_bytes
        content = _content(header.voxels, max(offset, 0), voxels_bytes)
    else:
        limit = header.packed_bytes if header.packed_bytes > 0 else stored_bytes
        packed = _content(header.voxels, header.offset_bytes or 0, min(limit, stored_bytes))
        try:
            content = zlib.decompressobj(47).decompress(packed, voxels_bytes + 1)  # zlib or gzip
        except zlib.error:
            content = b""
    if len(content) != voxels_bytes:
        raise UnusableError(f"{path}: damaged or truncated")
    return np.frombuffer(content, header.kind).astype(header.kind.newbyteorder("="))


def _content(path: Path, offset: int, size: int) -> bytes:
    try:
        require_size_below(path, FILE_LIMIT_BYTES)
        with open_file(path) as file:
            file.seek(offset)
            return file.read(size)
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {reason_of(error)}") from None
