"""Bombs that look like NIfTI images: they promise, or unpack to, far more than they are."""

import gzip
import struct
from collections.abc import Callable

_ZEROS_MB, _FAST = 160, 1  # packed in a quarter of the time that the smallest bomb takes


def nifti_header(
    shape: tuple[int, ...], code: int = 4, bits: int = 16, offset: float = 352, spacing: float = 1.0
) -> bytes:
    """A NIfTI-1 header and its four empty bytes of extension."""
    dim = [len(shape), *shape, *[1] * (7 - len(shape))]
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, *dim)
    struct.pack_into("<hh", head, 70, code, bits)
    struct.pack_into("<8f", head, 76, 1, *[spacing] * 7)
    struct.pack_into("<f", head, 108, offset)
    head[344:348] = b"n+1\0"
    return bytes(head)


def gzip_beyond() -> bytes:
    """160 MB of zeros behind an image of 16 voxels."""
    return gzip.compress(nifti_header((4, 4, 1)) + bytes(_ZEROS_MB * 10**6), _FAST, mtime=0)


def gzip_within() -> bytes:
    """160 MB of zeros, all of them voxels: 0.7 MB that are a sound image of nothing."""
    return gzip.compress(nifti_header((1000, 1000, 80)) + bytes(_ZEROS_MB * 10**6), _FAST, mtime=0)


def gzip_promise() -> bytes:
    """500 million voxels of 8 bytes, of which a kilobyte is there."""
    return gzip.compress(nifti_header((1000, 1000, 500), 64, 64) + bytes(1000), 9, mtime=0)


def plain_promise() -> bytes:
    """The same, not packed."""
    return nifti_header((1000, 1000, 500), 64, 64) + bytes(1000)


def dims_negative() -> bytes:
    """A side of -1."""
    return nifti_header((16, -1, 4)) + bytes(5000)


def dims_zero() -> bytes:
    """A side of 0."""
    return nifti_header((16, 0, 4)) + bytes(5000)


def dims_seven() -> bytes:
    """Seven dimensions."""
    return nifti_header((2, 2, 2, 2, 2, 2, 2)) + bytes(5000)


def voxels_beyond_the_end() -> bytes:
    """An offset of 1 GB."""
    return nifti_header((4, 4, 4), offset=1e9) + bytes(5000)


def spacing_not_a_number() -> bytes:
    """NaN for a spacing."""
    return nifti_header((4, 4, 4), spacing=float("nan")) + bytes(5000)


def bad_checksum() -> bytes:
    """A packed image whose last bytes are not its CRC."""
    return gzip.compress(nifti_header((4, 4, 4)) + bytes(128), 9, mtime=0)[:-8] + bytes(8)


BOMBS: tuple[Callable[[], bytes], ...] = (
    gzip_beyond, gzip_within, gzip_promise, plain_promise, dims_negative, dims_zero, dims_seven,
    voxels_beyond_the_end, spacing_not_a_number, bad_checksum,
)  # fmt: skip
