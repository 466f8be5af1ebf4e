"""Zip contents: the list of the files in a zip archive.

An archive comes from outside. So its list is bounded before Python's `zipfile` parses it, and a file that cannot be
read safely stays in the list with the reason.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from cardioseg.archive.zip_member import PACKING, UNPACK, Member, member_of, unusable
from cardioseg.errors import UnusableError

if TYPE_CHECKING:
    from zipfile import ZipInfo

_LIST_LIMIT_BYTES = 32 * 1024**2  # 250,000 files with names of 80 characters
_END_BYTES = 2**17  # of the last record with its comment
_ALWAYS_BYTES = 1024**3  # unpacked, of all files together
_JUNK = "__MACOSX/"  # macOS keeps the Finder's notes about each file there
_UNREADABLE = "a zip archive that is incomplete, damaged or one part of several: copy it again, or unpack it"
_FILE, _FOLDER, _END = "\x00", "\x01", "\x00"  # marks in sort keys


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
    if total_bytes > max(_ALWAYS_BYTES, PACKING * size_bytes):
        times = total_bytes / max(size_bytes, 1)
        raise unusable(
            f"a zip archive that is {times:.0f} times as large unpacked: if you trust it, unpack it and give the folder"
        )
    members: dict[str, Member] = {}
    for member in map(member_of, infos):
        twin = members.get(member.path)
        if twin is None:
            members[member.path] = member
        elif (twin.checksum, twin.size_bytes) != (member.checksum, member.size_bytes):
            why = f"its archive holds two different files of this name: {UNPACK}"
            members[member.path] = twin._replace(refusal=why)
    _require_no_file_in_file(members)
    order = sorted((_key(path), path) for path in members)
    return Contents(members, [key for key, _ in order], [path for _, path in order])


def _require_no_file_in_file(paths: Iterable[str]) -> None:
    """Refuse an archive in which one path is a file and a folder: programs that unpack it disagree."""
    ordered = sorted(path.replace("/", _END) for path in paths)
    if any(below.startswith(path + _END) for path, below in pairwise(ordered)):
        raise unusable(f"a zip archive in which one name is a file and a folder: {UNPACK}")


def _infos(file: BinaryIO) -> list["ZipInfo"]:
    """The entries that are files, as `zipfile` parses them."""
    from zipfile import ZipFile  # noqa: PLC0415 - most runs read no archive

    try:
        with ZipFile(cast("BinaryIO", _BoundedList(file))) as parsed:
            infos = parsed.infolist()
    except UnusableError:
        raise
    except Exception:  # noqa: BLE001 - an open set of types, as of every parser
        raise unusable(_UNREADABLE) from None
    if any(info.volume for info in infos):
        raise unusable(f"the last part of a split zip archive: {UNPACK}")
    return [info for info in infos if not info.filename.endswith("/") and not info.filename.startswith(_JUNK)]


class _BoundedList:
    """An open archive that refuses to read a list of files that is too long."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes; without `size`, to the end of the file."""
        if size > _LIST_LIMIT_BYTES:
            raise unusable("a zip archive with too many files: unpack it and give the folder")
        return self._file.read(size if size >= 0 else _END_BYTES)


def _key(path: str) -> str:
    *folders, name = path.split("/")
    return f"{_folder_key(folders)}{_FILE}{name}"


def _folder_key(folders: Iterable[str]) -> str:
    return "".join(f"{_FOLDER}{folder}{_END}" for folder in folders)
