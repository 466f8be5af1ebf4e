"""NRRD voxels: the bytes of the stored numbers, after what a header says to skip, and unpacked.

Lines are skipped in the file, before the voxels are unpacked; bytes are skipped after that, as teem and pynrrd do.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path

from cardioseg.errors import UnusableError

_SKIPPED_LIMIT = 1024**2  # lines, or bytes within packed voxels


def unpacked(path: Path, fields: Mapping[str, str], stored: bytes, size: int) -> bytes:
    """The voxels.

    Args:
        path: the file, for errors.
        fields: of its header.
        stored: what follows the header.
        size: bytes of the voxels.

    Raises:
        UnusableError: they are stored in another way, damaged or truncated.
        KeyError, ValueError: the header does not say how they are stored, or skips a number of bytes that cannot be.
    """
    encoding = fields["encoding"].lower()
    if encoding not in ("raw", "gzip", "gz"):
        raise UnusableError(f"{path}: its voxels are encoded as {encoding[:20]}", "save it raw or with gzip")
    lines, skipped = _skipped(fields, "line skip", "lineskip"), _skipped(fields, "byte skip", "byteskip")
    if not 0 <= lines <= _SKIPPED_LIMIT or skipped < (-1 if encoding == "raw" else 0):
        raise ValueError("skips what is not there")
    if lines:
        stored = b"".join(stored.split(b"\n", lines)[lines:])
    if encoding == "raw":
        content = stored[max(len(stored) - size, 0) :] if skipped == -1 else stored[skipped:]
    else:
        content = _inflated(stored, size + min(skipped, _SKIPPED_LIMIT) + 1)[skipped:]
    if len(content) != size:
        raise UnusableError(f"{path}: damaged or truncated")
    return content


def _skipped(fields: Mapping[str, str], *names: str) -> int:
    return int(next((fields[name] for name in names if name in fields), "0"))


def _inflated(packed: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(packed, limit)
    except zlib.error:
        return b""
