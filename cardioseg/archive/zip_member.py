"""Zip member: a file in a zip archive, and its content.

A file that cannot be read safely has the reason. Files are unpacked here and not by `zipfile`, which would parse the
list of an archive again for each file that is read.
"""

import stat
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cardioseg.errors import UnusableError

if TYPE_CHECKING:
    from zipfile import ZipInfo

UNPACK = "unpack the archive and give the folder"
# 600 cine images of Sunnybrook are up to 5.3 times as large unpacked; an empty image up to 1032 times, deflate's limit.
PACKING, _ALWAYS_BYTES = 100, 16 * 1024**2
LIMIT_BYTES = 512 * 1024**2  # of a file in memory; the largest enhanced objects are some 200 MB
_NAME_LIMIT = 1000
_OVERHEAD, _OVERHEAD_BYTES = 1.01, 1024  # packed data that cannot be compressed are a little longer than unpacked
_STORED, _DEFLATED = 0, 8
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "zstd", 95: "xz"}
_ENCRYPTED, _UTF_8 = 0x1, 0x800  # flags
_LOCAL_HEADER_BYTES, _LOCAL_HEADER, _LENGTHS = 30, b"PK\x03\x04", (slice(26, 28), slice(28, 30))
_DAMAGED = "damaged in its archive: copy or download the archive again"


class Member(NamedTuple):
    """A file in an archive.

    Attributes:
        path: of folders and a name, joined by `/`.
        offset: of its local header.
        packed_bytes: size in the archive.
        size_bytes: size unpacked.
        method: of compression.
        checksum: CRC-32 of its content.
        refusal: why it is not read; empty if it is.
    """

    path: str
    offset: int
    packed_bytes: int
    size_bytes: int
    method: int
    checksum: int
    refusal: str


def read_member(archive: Path, member: Member) -> bytes:
    """The content of a file, unpacked in memory.

    Raises:
        UnusableError: it is refused, or damaged.
        OSError: the file system refuses.
    """
    if member.refusal:
        raise unusable(member.refusal)
    with archive.open("rb") as file:
        file.seek(member.offset)
        header = file.read(_LOCAL_HEADER_BYTES)
        if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(_LOCAL_HEADER):
            raise unusable(_DAMAGED)
        file.seek(sum(int.from_bytes(header[length], "little") for length in _LENGTHS), 1)
        content = _unpacked(file.read(member.packed_bytes), member)
    if len(content) != member.size_bytes or zlib.crc32(content) != member.checksum:
        raise unusable(_DAMAGED)
    return content


def _unpacked(packed: bytes, member: Member) -> bytes:
    if member.method == _STORED:
        return packed
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.size_bytes + 1)
    except zlib.error:
        raise unusable(_DAMAGED) from None


def member_of(info: "ZipInfo") -> Member:
    """A file as the list of its archive describes it."""
    name = _name(info)
    inner = name[2:] if _has_drive(name) else name
    parts = [part for part in inner.split("/") if part not in ("", ".", "..")]
    path = "/".join(parts)[-_NAME_LIMIT:].lstrip("/") or "unnamed"
    numbers = info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC
    return Member(path, *numbers, next(_refusals(info, name), ""))


def _name(info: "ZipInfo") -> str:
    """The path as its program meant it: Windows may write backslashes, and macOS UTF-8 without saying so."""
    name = info.filename
    if not info.flag_bits & _UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name if info.create_system and ".." not in name else name.replace("\\", "/")


def _has_drive(name: str) -> bool:
    return name[1:2] == ":"


def _refusals(info: "ZipInfo", name: str) -> Iterator[str]:
    mode = info.external_attr >> 16
    if name.startswith("/") or _has_drive(name) or ".." in name.split("/") or len(name) > _NAME_LIMIT:
        yield f"its path in the archive is absolute, leads out of it or is too long: {UNPACK}"
    if stat.S_ISLNK(mode):
        yield "a symbolic link, not followed"
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        yield "not a regular file"
    if info.flag_bits & _ENCRYPTED:
        yield "encrypted: unpack the archive with its password and give the folder"
    if name.lower().endswith(".zip"):
        yield "a zip archive in a zip archive: unpack the outer one and give the folder"
    if info.compress_type not in (_STORED, _DEFLATED):
        yield f"compressed with {_METHODS.get(info.compress_type, 'an unknown method')}: {UNPACK}"
    yield from _refusals_by_size(info)


def _refusals_by_size(info: "ZipInfo") -> Iterator[str]:
    if info.header_offset < 0 or info.compress_size > _OVERHEAD * info.file_size + _OVERHEAD_BYTES:
        yield _DAMAGED
    if info.file_size > LIMIT_BYTES:
        yield f"larger than {LIMIT_BYTES // 1024**2} MiB: {UNPACK}"
    if info.file_size > max(_ALWAYS_BYTES, PACKING * info.compress_size):
        yield f"{info.file_size / max(info.compress_size, 1):.0f} times as large unpacked: if you trust it, {UNPACK}"


def unusable(problem_and_remedy: str) -> UnusableError:
    """An error of a problem and, after a colon, what to do."""
    problem, _, remedy = problem_and_remedy.partition(": ")
    return UnusableError(problem, remedy)
