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

from cardioseg.archive.member_paths import open_file, size_bytes
from cardioseg.errors import UnusableError
from cardioseg.files import require_size_below
from cardioseg.image.foreign_formats import START_BYTES, foreign_content
from cardioseg.image.nifti_forms import Forms
from cardioseg.image.volume import Voxels

_FILE_LIMIT_BYTES = 2 * 1024**3
_TRAILER_LIMIT_BYTES = 1024**2
_VOXELS_LIMIT = 512 * 1024**2
_ALWAYS_BYTES, _PACKING = (
    128 * 1024**2,
    100,
)  # a scan compresses to a half; masks and black images more, but they are small
_GZIP = b"\x1f\x8b"
_FIRST_VOXEL = 352  # smallest offset of the voxels
_KINDS = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_FIELDS = {  # of NIfTI-1: type and offset
    "sizeof_hdr": ("i4", 0),
    "dim": ("8i2", 40),
    "datatype": ("i2", 70),
    "pixdim": ("8f4", 76),
    "vox_offset": ("f4", 108),
    "scl_slope": ("f4", 112),
    "scl_inter": ("f4", 116),
    "units": ("u1", 123),
    "qform_code": ("i2", 252),
    "sform_code": ("i2", 254),
    "qform": ("6f4", 256),
    "sform": ("12f4", 280),
    "magic": ("S4", 344),
}
_LAYOUT = np.dtype(
    {
        "names": list(_FIELDS),
        "formats": [kind for kind, _ in _FIELDS.values()],
        "offsets": [offset for _, offset in _FIELDS.values()],
        "itemsize": 348,
    }
)


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
    """

    size: tuple[int, ...]
    kind: np.dtype[Any]
    offset_bytes: int
    slope: float
    intercept: float
    forms: Forms
    step_s: float


def read_header(path: Path) -> Header:
    """Read and check the header of a single-file NIfTI-1 image, packed or not.

    Raises:
        UnusableError: unreadable, not 3D or 4D, not one real number per voxel, or too large.
    """
    with _content(path) as file:
        start = file.read(START_BYTES)
    fields = _fields(path, start)
    size = _size(path, fields["dim"].tolist())
    if int(fields["datatype"]) not in _KINDS:
        raise UnusableError(f"{path}: its voxels are not one real number each")
    first = float(fields["vox_offset"])
    if not 0 <= first < _FILE_LIMIT_BYTES:
        raise UnusableError(f"{path}: damaged or truncated")
    kind = np.dtype(_KINDS[int(fields["datatype"])]).newbyteorder(fields["dim"].dtype.byteorder)
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    is_scaled = slope != 0 and np.isfinite([slope, intercept]).all()  # the standard: 0 is no scaling
    scale = (slope, intercept) if is_scaled else (1.0, 0.0)
    forms = Forms.of(fields)
    return Header(size, kind, max(int(first), _FIRST_VOXEL), *scale, forms, float(fields["pixdim"][4]) * forms.unit_s)


def read_voxels(path: Path, header: Header) -> Voxels:
    """The voxels ([phase,] slice, row, column), scaled to floats if the header gives a scale.

    Raises:
        UnusableError: the file has fewer voxels than its header states, or far more, or its checksum does not match.
    """
    end = header.offset_bytes + prod(header.size) * header.kind.itemsize
    if end > max(_ALWAYS_BYTES, _PACKING * size_bytes(path)):  # before memory is allocated
        raise UnusableError(f"{path}: damaged or truncated")
    with _content(path) as file:
        content = file.read(end)
        trailer = file.read(_TRAILER_LIMIT_BYTES)  # to the very end, where a packed file's checksum is compared
    if len(content) < end or len(trailer) == _TRAILER_LIMIT_BYTES:
        raise UnusableError(f"{path}: damaged or truncated")
    return _scaled(np.frombuffer(content, header.kind, offset=header.offset_bytes).reshape(header.size[::-1]), header)


def read_first_phase(path: Path, header: Header) -> Voxels:
    """The voxels (slice, row, column) of the first phase, for a quick look: the rest of the file is not checked.

    Raises:
        UnusableError: the file has fewer.
    """
    shape = header.size[2::-1]
    with _content(path) as file:
        content = file.read(header.offset_bytes + prod(shape) * header.kind.itemsize)
    if len(content) < header.offset_bytes + prod(shape) * header.kind.itemsize:
        raise UnusableError(f"{path}: damaged or truncated")
    return _scaled(np.frombuffer(content, header.kind, offset=header.offset_bytes).reshape(shape), header)


def _scaled(stored: Voxels, header: Header) -> Voxels:
    if (header.slope, header.intercept) == (1.0, 0.0):
        return stored.astype(header.kind.newbyteorder("="))
    with np.errstate(all="ignore"):
        return stored.astype(np.result_type(header.kind, np.float32)) * header.slope + header.intercept


@contextmanager
def _content(path: Path) -> Iterator[BufferedIOBase]:
    try:
        require_size_below(path, _FILE_LIMIT_BYTES)
        with open_file(path) as file:
            packed = file.read(len(_GZIP)) == _GZIP
            if packed and path.suffix.lower() != ".gz":
                raise UnusableError(f"{path}: packed with gzip", "name it .nii.gz")
            file.seek(0)
            yield gzip.GzipFile(fileobj=file) if packed else file
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UnusableError(f"{path}: damaged or truncated") from None
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {(error.strerror or 'unknown error').lower()}") from None


def _fields(path: Path, start: bytes) -> np.void:
    for layout in (_LAYOUT.newbyteorder("<"), _LAYOUT.newbyteorder(">")) if len(start) >= _LAYOUT.itemsize else ():
        fields: np.void = np.frombuffer(start, layout, 1)[0]
        if fields["sizeof_hdr"] == _LAYOUT.itemsize and fields["magic"] == b"n+1":
            return fields
    problem, remedy = foreign_content(path.name, start) or ("not a readable NIfTI file", "")
    raise UnusableError(f"{path}: {problem}", remedy)


def _size(path: Path, dim: list[int]) -> tuple[int, ...]:
    count, *sizes = dim
    if not 1 <= count <= len(sizes) or min(sizes[:count]) < 1:
        raise UnusableError(f"{path}: not a readable NIfTI file")
    while count > 3 and sizes[count - 1] == 1:
        count -= 1
    if count not in (3, 4):
        raise UnusableError(f"{path}: {count} dimensions, expected 3 or 4")
    if prod(sizes[:count]) > _VOXELS_LIMIT:
        raise UnusableError(f"{path}: more than {_VOXELS_LIMIT:.0e} voxels")
    return tuple(sizes[:count])


def stamped(content: bytes, forms: Forms) -> bytes:
    """A NIfTI file's content with other forms."""
    start = bytearray(content[: _LAYOUT.itemsize])
    forms.stamp(np.frombuffer(start, _LAYOUT.newbyteorder("<"))[0])
    return bytes(start) + content[_LAYOUT.itemsize :]
