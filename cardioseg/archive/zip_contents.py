"""Zip contents: the list of the files in a zip archive, and the content of one file.

An archive comes from outside. So its list is bounded before it is parsed, a file is bounded before it is unpacked, and
a file that cannot be read safely stays in the list with the reason. Python's `zipfile` parses the list. Files are
unpacked here: `zipfile` would parse the list again for each file that is read.
"""

import stat
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from cardioseg.errors import UnusableError

if TYPE_CHECKING:
    from zipfile import ZipInfo

LIMIT_BYTES = 512 * 1024**2  # of a file in memory; the largest enhanced objects are some 200 MB
_LIST_LIMIT_BYTES = 32 * 1024**2  # 250,000 files with names of 80 characters
_END_BYTES = 2**17  # of the last record with its comment
_NAME_LIMIT = 1000
# 600 cine images of Sunnybrook are up to 5.3 times as large unpacked; an empty image up to 1032 times, deflate's limit
_PACKING, _ALWAYS_BYTES, _ALWAYS_TOTAL_BYTES = 100, 16 * 1024**2, 1024**3
_OVERHEAD, _OVERHEAD_BYTES = 1.01, 1024  # packed data that cannot be compressed are a little longer than unpacked
_JUNK = "__MACOSX/"  # macOS keeps the Finder's notes about each file there
_STORED, _DEFLATED = 0, 8
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "zstd", 95: "xz"}
_ENCRYPTED, _UTF_8 = 0x1, 0x800  # flags
_LOCAL_HEADER_BYTES, _LOCAL_HEADER, _LENGTHS = 30, b"PK\x03\x04", (slice(26, 28), slice(28, 30))
_UNPACK = "unpack the archive and give the folder"
_DAMAGED = "damaged in its archive: copy or download the archive again"
_UNREADABLE = "a zip archive that is incomplete, damaged or one part of several: copy it again, or unpack it"
_FILE, _FOLDER, _END = "\x00", "\x01", "\x00"  # marks in sort keys


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


@dataclass(frozen=True)
class Contents:
    """The files of an archive.

    Attributes:
        members: path -> file.
        keys: for each path a key; a folder's files come before its folders, and each in the order of their names.
        paths: in the order of the keys.
    """

    members: dict[str, Member]
    keys: list[str]
    paths: list[str]

    def below(self, folder: str) -> list[str]:
        """The paths of all files below a folder; "" is the archive."""
        first, last = self._range(folder)
        return self.paths[first:last]

    def has_folder(self, folder: str) -> bool:
        """Whether there are files below a folder."""
        first, last = self._range(folder)
        return first < last

    def children(self, folder: str) -> tuple[list[str], list[str]]:
        """The names of the folders and the files in a folder."""
        at, last = self._range(folder)
        start = len(folder) + 1 if folder else 0
        folders: list[str] = []
        files: list[str] = []
        while at < last:
            name, slash, _ = self.paths[at][start:].partition("/")
            (folders if slash else files).append(name)
            at = self._range(self.paths[at][: start + len(name)])[1] if slash else at + 1
        return folders, files

    def _range(self, folder: str) -> tuple[int, int]:
        prefix = _folder_key(folder.split("/")) if folder else ""
        after = prefix[:-1] + chr(ord(_END) + 1) if prefix else chr(ord(_FOLDER) + 1)
        return bisect_left(self.keys, prefix), bisect_left(self.keys, after)


def read_contents(archive: Path) -> Contents:
    """Read the list of files.

    Raises:
        UnusableError: it cannot be read, is too long, or may be a decompression bomb as a whole.
        OSError: the file system refuses.
    """
    with archive.open("rb") as file:
        infos = _infos(file)
        size_bytes = file.seek(0, 2)
    total_bytes = sum(info.file_size for info in infos)
    if total_bytes > max(_ALWAYS_TOTAL_BYTES, _PACKING * size_bytes):
        times = total_bytes / max(size_bytes, 1)
        raise _unusable(
            f"a zip archive that is {times:.0f} times as large unpacked: if you trust it, unpack it and give the folder"
        )
    members: dict[str, Member] = {}
    for member in map(_member, infos):
        twin = members.get(member.path)
        if twin is None:
            members[member.path] = member
        elif (twin.checksum, twin.size_bytes) != (member.checksum, member.size_bytes):
            why = f"its archive holds two different files of this name: {_UNPACK}"
            members[member.path] = twin._replace(refusal=why)
    _require_no_file_in_file(members)
    order = sorted((_key(path), path) for path in members)
    return Contents(members, [key for key, _ in order], [path for _, path in order])


def _require_no_file_in_file(paths: Iterable[str]) -> None:
    """Refuse an archive in which one path is a file and a folder: programs that unpack it disagree."""
    ordered = sorted(path.replace("/", _END) for path in paths)
    if any(below.startswith(path + _END) for path, below in pairwise(ordered)):
        raise _unusable(f"a zip archive in which one name is a file and a folder: {_UNPACK}")


def read_member(archive: Path, member: Member) -> bytes:
    """The content of a file, unpacked in memory.

    Raises:
        UnusableError: it is refused, or damaged.
        OSError: the file system refuses.
    """
    if member.refusal:
        raise _unusable(member.refusal)
    with archive.open("rb") as file:
        file.seek(member.offset)
        header = file.read(_LOCAL_HEADER_BYTES)
        if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(_LOCAL_HEADER):
            raise _unusable(_DAMAGED)
        file.seek(sum(int.from_bytes(header[length], "little") for length in _LENGTHS), 1)
        content = _unpacked(file.read(member.packed_bytes), member)
    if len(content) != member.size_bytes or zlib.crc32(content) != member.checksum:
        raise _unusable(_DAMAGED)
    return content


def _unpacked(packed: bytes, member: Member) -> bytes:
    if member.method == _STORED:
        return packed
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.size_bytes + 1)
    except zlib.error:
        raise _unusable(_DAMAGED) from None


def _infos(file: BinaryIO) -> list["ZipInfo"]:
    """The entries that are files, as `zipfile` parses them."""
    from zipfile import ZipFile  # noqa: PLC0415 - most runs read no archive

    try:
        with ZipFile(cast("BinaryIO", _BoundedList(file))) as parsed:
            infos = parsed.infolist()
    except UnusableError:
        raise
    except Exception:  # noqa: BLE001 - an open set of types, as of every parser
        raise _unusable(_UNREADABLE) from None
    if any(info.volume for info in infos):
        raise _unusable(f"the last part of a split zip archive: {_UNPACK}")
    return [info for info in infos if not info.filename.endswith("/") and not info.filename.startswith(_JUNK)]


class _BoundedList:
    """An open archive that refuses to read a list of files that is too long."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes; without `size`, to the end of the file."""
        if size > _LIST_LIMIT_BYTES:
            raise _unusable("a zip archive with too many files: unpack it and give the folder")
        return self._file.read(size if size >= 0 else _END_BYTES)


def _member(info: "ZipInfo") -> Member:
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
        yield f"its path in the archive is absolute, leads out of it or is too long: {_UNPACK}"
    if stat.S_ISLNK(mode):
        yield "a symbolic link, not followed"
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        yield "not a regular file"
    if info.flag_bits & _ENCRYPTED:
        yield "encrypted: unpack the archive with its password and give the folder"
    if name.lower().endswith(".zip"):
        yield "a zip archive in a zip archive: unpack the outer one and give the folder"
    if info.compress_type not in (_STORED, _DEFLATED):
        yield f"compressed with {_METHODS.get(info.compress_type, 'an unknown method')}: {_UNPACK}"
    yield from _refusals_by_size(info)


def _refusals_by_size(info: "ZipInfo") -> Iterator[str]:
    if info.header_offset < 0 or info.compress_size > _OVERHEAD * info.file_size + _OVERHEAD_BYTES:
        yield _DAMAGED
    if info.file_size > LIMIT_BYTES:
        yield f"larger than {LIMIT_BYTES // 1024**2} MiB: {_UNPACK}"
    if info.file_size > max(_ALWAYS_BYTES, _PACKING * info.compress_size):
        yield f"{info.file_size / max(info.compress_size, 1):.0f} times as large unpacked: if you trust it, {_UNPACK}"


def _unusable(problem_and_remedy: str) -> UnusableError:
    problem, _, remedy = problem_and_remedy.partition(": ")
    return UnusableError(problem, remedy)


def _key(path: str) -> str:
    *folders, name = path.split("/")
    return f"{_folder_key(folders)}{_FILE}{name}"


def _folder_key(folders: Iterable[str]) -> str:
    return "".join(f"{_FOLDER}{folder}{_END}" for folder in folders)
