"""Member paths: a file in a zip archive has a path like any other, `scans/1234.zip/series/0001.dcm`.

These functions do for such paths, and for all others, what the methods of `Path` do for files and folders. A path
without `.zip` in it costs nothing more. An archive and the folders in it count as folders.
"""

import os
from functools import lru_cache
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO

from cardioseg.archive.zip_contents import Contents, read_contents
from cardioseg.archive.zip_member import Member, read_member
from cardioseg.errors import UnusableError, reason_of

SUFFIX = ".zip"
_OTHERS = (".cvi42wsx.zip",)  # workspaces of cvi42: contours
_ARCHIVES = 16  # whose lists are kept in memory

Stamp = tuple[int, int, int]  # a file's size in bytes, and the times in ns when it and its state were changed


class MemberFile(BytesIO):
    """An open file of an archive: its content, unpacked in memory."""

    def __init__(self, content: bytes, stamp: Stamp) -> None:
        super().__init__(content)
        self.stamp = stamp


def is_archive(path: Path) -> bool:
    """Whether it is a file that is named like a zip archive."""
    return path.suffix.lower() == SUFFIX and not path.name.lower().endswith(_OTHERS) and path.is_file()


def open_file(path: Path) -> BufferedReader | MemberFile:
    """Open a file for reading.

    Raises:
        OSError: there is no such file, or it cannot be read.
        UnusableError: it lies in an archive and cannot be unpacked there.
    """
    found = _member(path)
    if found is None:
        return path.open("rb")
    archive, member = found
    before = archive.stat()
    try:
        content = read_member(archive, member)
    except UnusableError as error:
        raise UnusableError(f"{path}: {error.message}", error.hint) from None
    if _stamp(before) != _stamp(archive.stat()):
        raise UnusableError(f"{path}: its archive changed while it was read", "run again")
    return MemberFile(content, (len(content), *_stamp(before)[1:]))


def stamp_of(file: BinaryIO) -> Stamp:
    """The stamp of an open file, which changes when the file, or its archive, is written or replaced."""
    if isinstance(file, MemberFile):
        return file.stamp
    return _stamp(os.fstat(file.fileno()))


def size_bytes(path: Path) -> int:
    """Size of a file, unpacked.

    Raises:
        OSError: there is no such file.
    """
    found = _member(path)
    return found[1].size_bytes if found else path.stat().st_size


def state_on_disk(path: Path) -> os.stat_result:
    """The state of a file, or of the archive that holds it.

    Raises:
        OSError: there is no such file.
    """
    found = _member(path)
    return (found[0] if found else path).stat()


def is_file(path: Path) -> bool:
    """Whether it is a file, on disk or in an archive."""
    return _member(path) is not None or path.is_file()


def is_folder(path: Path) -> bool:
    """Whether it is a folder, an archive, or a folder in an archive; links to folders are none."""
    return is_archive(path) or _is_folder_in_archive(path) or (path.is_dir() and not path.is_symlink())


def exists(path: Path) -> bool:
    """Whether it is a file or a folder, on disk or in an archive."""
    return _is_folder_in_archive(path) or is_file(path) or path.exists()


def archive_of(path: Path) -> Path | None:
    """The archive that the path names, or that a file or folder lies in; None for all others."""
    place = _place(path)
    return place[0] if place else None


def entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders and the files in a folder, sorted; links count as files.

    Raises:
        OSError: it cannot be listed.
        UnusableError: its archive cannot be read.
    """
    if place := _place(folder):
        folders, files = _contents(place[0]).children(place[1])
        return [folder / name for name in folders], [folder / name for name in files]
    paths = sorted(folder.iterdir())
    are_folders = [is_folder(path) and not path.is_symlink() for path in paths]
    return (
        [path for path, is_one in zip(paths, are_folders, strict=True) if is_one],
        [path for path, is_one in zip(paths, are_folders, strict=True) if not is_one],
    )


def files_below(folder: Path) -> list[Path]:
    """All files below an archive or a folder in it; the files of a folder come before its folders.

    Raises:
        UnusableError: the archive cannot be read.
    """
    place = _place(folder)
    if place is None:
        return []
    archive, _ = place
    return [archive / path for path in _contents(archive).below(place[1])]


def plain_name(name: str) -> str:
    """The name of a folder or an archive; an archive's without its suffix."""
    return name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) and len(name) > len(SUFFIX) else name


def _stamp(state: os.stat_result) -> Stamp:
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _member(path: Path) -> tuple[Path, Member] | None:
    """The archive and the file in it that the path names."""
    if (place := _place(path)) is None or not place[1]:
        return None
    try:
        member = _contents(place[0]).members.get(place[1])
    except UnusableError:
        return None
    return None if member is None else (place[0], member)


def _is_folder_in_archive(path: Path) -> bool:
    place = _place(path)
    try:
        return place is not None and _contents(place[0]).has_folder(place[1])
    except UnusableError:
        return False


def _place(path: Path) -> tuple[Path, str] | None:
    """The archive that is or contains a path, and the rest of the path, joined by `/`."""
    if SUFFIX not in str(path).lower():
        return None
    for number, part in enumerate(path.parts, start=1):
        if part.lower().endswith(SUFFIX) and is_archive(archive := Path(*path.parts[:number])):
            return archive, "/".join(path.parts[number:])
    return None


def _contents(archive: Path) -> Contents:
    try:
        state = archive.stat()
        contents = _listed(str(archive), state.st_size, state.st_mtime_ns, state.st_ino)
    except OSError as error:
        raise UnusableError(f"{archive}: cannot be read: {reason_of(error)}") from None
    if isinstance(contents, UnusableError):
        raise UnusableError(f"{archive}: {contents.message}", contents.hint)
    return contents


@lru_cache(maxsize=_ARCHIVES)
def _listed(path: str, *_state: int) -> Contents | UnusableError:
    """The list, or why there is none, so that neither is worked out again."""
    try:
        return read_contents(Path(path))
    except UnusableError as error:
        return error.with_traceback(None)
