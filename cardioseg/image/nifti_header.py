"""NIfTI header: read and check a file's header, and read the voxels that it describes.

ITK returns uninitialised memory for the voxels that a truncated file lacks, ignores checksums, misreads gzip files of
several members, and replaces a spacing that is zero or not a number by 1 mm, all without a warning. So the bytes are
read here, and `nifti_grid.py` makes a grid of the geometry.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from cardioseg.archive.member_paths import is_file, open_file, size_bytes
from cardioseg.errors import UnusableError, reason_of
from cardioseg.files import require_size_below
from cardioseg.image.foreign_formats import START_BYTES, foreign_content
from cardioseg.image.nifti_forms import Forms
from cardioseg.image.nifti_layouts import NIFTI_1, Layout, read_fields
from cardioseg.image.volume import LARGEST_VECTOR, Voxels
from cardioseg.image.voxel_limits import FILE_LIMIT_BYTES, require_few_voxels, require_plausible_packing

_TRAILER_LIMIT_BYTES = 1024**2
_CHUNK_BYTES = 1024**2
_GZIP = b"\x1f\x8b"
_KINDS = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
PAIR_HEADERS, PAIR_VOXELS = (".hdr.gz", ".hdr"), (".img.gz", ".img")
_LARGEST_SIDE = 2**15 - 1  # in NIfTI-1, in which masks are written
_VECTORS = range(1005, 1008)  # intents: a symmetric matrix, a displacement, a vector


@dataclass(frozen=True)
class Header:
    """The location and type of a NIfTI file's voxels.

    Attributes:
        size: (columns, rows, slices) or (columns, rows, slices, phases).
        kind: the stored number type, with its byte order.
        offset_bytes: offset of the first voxel.
        slope: factor of the stored numbers.
        intercept: added after that.
        forms: geometry of the voxels.
        step_s: seconds between phases, as stored.
        voxels_path: the file that has them.
    """

    size: tuple[int, ...]
    kind: np.dtype[Any]
    offset_bytes: int
    slope: float
    intercept: float
    forms: Forms
    step_s: float
    voxels_path: Path


def read_header(path: Path) -> Header:
    """Read and check the header of a NIfTI-1 or NIfTI-2 image, packed or not.

    Raises:
        UnusableError: unreadable, not 3D or 4D, not one real number per voxel, or too large.
    """
    with _content(path) as file:
        start = file.read(START_BYTES)
    found = read_fields(start)
    if found is None:
        problem, remedy = foreign_content(path.name, start) or ("not a readable NIfTI file", "")
        raise UnusableError(f"{path}: {problem}", remedy)
    fields, layout = found
    size, time_axis = _size(path, fields)
    if int(fields["datatype"]) not in _KINDS:
        raise UnusableError(f"{path}: its voxels are not one real number each")
    kind = np.dtype(_KINDS[int(fields["datatype"])]).newbyteorder(fields["dim"].dtype.byteorder)
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    is_scaled = slope != 0 and np.isfinite([slope, intercept]).all()  # the standard: 0 is no scaling
    scale = (slope, intercept) if is_scaled else (1.0, 0.0)
    forms = Forms.of(fields)
    step_s = float(fields["pixdim"][time_axis]) * forms.unit_s
    offset, voxels_path = _place(path, fields, layout)
    return Header(size, kind, offset, *scale, forms, step_s, voxels_path)


def files_of(path: Path) -> tuple[Path, ...]:
    """The file, and that of its voxels if it is the header of a pair."""
    stems = [path.name[: -len(suffix)] for suffix in PAIR_HEADERS if path.name.lower().endswith(suffix)]
    voxels = [path.with_name(stem + suffix) for stem in stems for suffix in PAIR_VOXELS]
    return (path, *filter(is_file, voxels))


def _place(path: Path, fields: np.void, layout: Layout) -> tuple[int, Path]:
    """The offset of the first voxel, and the file that it is in."""
    offset = float(fields["vox_offset"])
    if not 0 <= offset < FILE_LIMIT_BYTES:
        raise UnusableError(f"{path}: damaged or truncated")
    if fields["magic"] == layout.single:
        return max(int(offset), layout.first_voxel), path
    voxels = files_of(path)[1:]
    if len(voxels) != 1:
        which = "both .img and .img.gz are beside it" if voxels else "there is no .img file of the same name beside it"
        raise UnusableError(f"{path}: it is the header of a pair, but {which}", "keep both files in one folder")
    return int(offset), voxels[0]


def read_voxels(path: Path, header: Header) -> Voxels:
    """The voxels ([phase,] slice, row, column), scaled to floats if the header gives a scale.

    Raises:
        UnusableError: the file has fewer voxels than its header states, or far more, or its checksum does not match.
    """
    end = header.offset_bytes + prod(header.size) * header.kind.itemsize
    require_plausible_packing(path, end, size_bytes(header.voxels_path))
    content = bytearray(end)
    with _content(header.voxels_path) as file:
        filled = _fill(content, file)
        trailer = file.read(_TRAILER_LIMIT_BYTES)  # to the very end, where a packed file's checksum is compared
    if filled < end or len(trailer) == _TRAILER_LIMIT_BYTES:
        raise UnusableError(f"{path}: damaged or truncated")
    return _scaled(np.frombuffer(content, header.kind, offset=header.offset_bytes).reshape(header.size[::-1]), header)


def read_first_phase(path: Path, header: Header) -> Voxels:
    """The voxels (slice, row, column) of the first phase, for a quick look: the rest of the file is not checked.

    Raises:
        UnusableError: the file has fewer.
    """
    shape = header.size[2::-1]
    with _content(header.voxels_path) as file:
        content = file.read(header.offset_bytes + prod(shape) * header.kind.itemsize)
    if len(content) < header.offset_bytes + prod(shape) * header.kind.itemsize:
        raise UnusableError(f"{path}: damaged or truncated")
    return _scaled(np.frombuffer(content, header.kind, offset=header.offset_bytes).reshape(shape), header)


def _fill(content: bytearray, file: BufferedIOBase) -> int:
    """Read a file into memory that is there already, so that it needs no more than that; the bytes that it had."""
    filled, view = 0, memoryview(content)
    while count := file.readinto(view[filled : filled + _CHUNK_BYTES]):
        filled += count
    return filled


def _scaled(stored: Voxels, header: Header) -> Voxels:
    if (header.slope, header.intercept) == (1.0, 0.0):
        is_fit = stored.flags.aligned and stored.flags.writeable
        return stored.astype(header.kind.newbyteorder("="), copy=not is_fit)
    with np.errstate(all="ignore"):
        return stored.astype(np.result_type(header.kind, np.float32)) * header.slope + header.intercept


@contextmanager
def _content(path: Path) -> Iterator[BufferedIOBase]:
    try:
        require_size_below(path, FILE_LIMIT_BYTES)
        with open_file(path) as file:
            packed = file.read(len(_GZIP)) == _GZIP
            if packed and path.suffix.lower() != ".gz":
                raise UnusableError(f"{path}: packed with gzip", "name it .nii.gz")
            file.seek(0)
            yield gzip.GzipFile(fileobj=file) if packed else file
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UnusableError(f"{path}: damaged or truncated") from None
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {reason_of(error)}") from None


def _size(path: Path, fields: np.void) -> tuple[tuple[int, ...], int]:
    """The size, and the axis of `dim` that is time: the fourth, or the fifth if the fourth has one place."""
    count, *sizes = fields["dim"].tolist()
    if not 1 <= count <= len(sizes) or min(sizes[:count]) < 1:
        raise UnusableError(f"{path}: not a readable NIfTI file")
    while count > 3 and sizes[count - 1] == 1:
        count -= 1
    time_axis = 5 if count == 5 and sizes[3] == 1 else 4
    size = (*sizes[:3], sizes[4]) if time_axis == 5 else tuple(sizes[:count])
    if len(size) not in (3, 4):
        raise UnusableError(f"{path}: {count} dimensions, expected 3 or 4")
    if time_axis == 5 and size[3] <= LARGEST_VECTOR and int(fields["intent_code"]) in _VECTORS:
        raise UnusableError(f"{path}: its voxels are not one real number each")
    require_few_voxels(path, size)
    if max(size) > _LARGEST_SIDE:
        raise UnusableError(f"{path}: a side of {max(size)} voxels, more than a mask can have ({_LARGEST_SIDE})")
    return size, time_axis


def stamped(content: bytes, forms: Forms) -> bytes:
    """A NIfTI-1 file's content with other forms."""
    start = bytearray(content[: NIFTI_1.size_bytes])
    forms.stamp(np.frombuffer(start, NIFTI_1.fields)[0])
    return bytes(start) + content[NIFTI_1.size_bytes :]
