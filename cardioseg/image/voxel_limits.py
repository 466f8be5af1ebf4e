"""Voxel limits: how many voxels an image file may have, and how many its bytes may unpack to."""

from math import prod
from pathlib import Path

from cardioseg.errors import UnusableError

FILE_LIMIT_BYTES = 2 * 1024**3
_VOXELS_LIMIT = 512 * 1024**2
# A scan compresses to a half; masks and black images more, but they are small.
_ALWAYS_BYTES, _PACKING = 128 * 1024**2, 100


def require_few_voxels(path: Path, size: tuple[int, ...]) -> None:
    """Refuse a header that states more voxels than an image of the heart has.

    Raises:
        UnusableError: it does.
    """
    if prod(size) > _VOXELS_LIMIT:
        raise UnusableError(f"{path}: more than {_VOXELS_LIMIT:.0e} voxels")


def require_plausible_packing(path: Path, voxels_bytes: int, stored_bytes: int) -> None:
    """Refuse voxels that so few stored bytes cannot hold, before memory is allocated.

    Raises:
        UnusableError: the file is damaged, or made to fill the memory.
    """
    if voxels_bytes > max(_ALWAYS_BYTES, _PACKING * stored_bytes):
        raise UnusableError(f"{path}: damaged or truncated")
