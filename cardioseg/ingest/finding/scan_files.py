"""Scan files: the files in the folders and zip archives that a user gives, without those that are results."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cardioseg.archive.member_paths import archive_of, entries, files_below, is_archive, is_file, is_folder
from cardioseg.errors import UnusableError
from cardioseg.image.foreign_formats import is_dicomdir
from cardioseg.skipped import Skipped


@dataclass(frozen=True)
class LeftOut:
    """Folders that are never searched.

    Attributes:
        folder: left out with everything below it; absolute, links resolved.
        beside: file names; if a folder contains one of them, its files are results and not scans.
    """

    folder: Path | None = None
    beside: tuple[str, ...] = ()

    def prunes(self, folder: Path) -> bool:
        """Whether the folder is left out with everything below it."""
        return self.folder is not None and folder.resolve().is_relative_to(self.folder)

    def holds(self, folder: Path) -> bool:
        """Whether the files directly in the folder are left out."""
        return any(is_file(folder / name) for name in self.beside) or self.prunes(folder)


NOTHING = LeftOut()


def place_of(source: Path) -> Path:
    """The source; for a DICOMDIR, which lists the files on a disc, its folder."""
    is_listing = is_file(source) and not is_archive(source) and is_dicomdir(source)
    return source.parent if is_listing else source


def regular_files(root: Path, paths: Iterable[Path], left: LeftOut = NOTHING) -> Iterator[Path | Skipped]:
    """Regular files in the order of their paths. Links are not followed: they may leave the tree or form loops."""
    denied: list[Skipped] = []
    for path in paths:
        if path == root and is_file(path):
            yield from _with_members(path, left)
        elif path != root and (path.is_symlink() or is_archive(path) or not is_folder(path)):
            if not left.holds(path.parent):
                yield from _with_members(_checked_file(path), left)
        elif archive_of(path):
            yield from _members(path, left)
        else:
            yield from _files_below(path, left, denied)
    yield from denied


def entries_of(folder: Path, left: LeftOut) -> tuple[list[Path], tuple[Path, ...]]:
    """The folders and archives, and all other entries; a folder that cannot be listed is its only entry."""
    try:
        folders, files = entries(folder)
    except (OSError, UnusableError):
        return [], (folder,)
    return [path for path in folders if not left.prunes(path)], tuple(files)


def files_backwards(paths: Sequence[Path], left: LeftOut) -> Iterator[Path]:
    """The files below some paths, the last first."""
    for path in sorted(paths, key=lambda path: (is_folder(path), path), reverse=True):
        if is_archive(path) and (path.is_symlink() or left.holds(path.parent)):
            continue
        if archive_of(path) and is_folder(path):
            yield from (file for file in reversed(list(_members(path, left))) if isinstance(file, Path))
        elif is_folder(path) and not left.prunes(path):
            folders, files = entries_of(path, left)
            yield from files_backwards([*folders, *(file for file in files if file != path)], left)
        elif is_file(path) and not path.is_symlink() and not left.holds(path.parent):
            yield path


def _files_below(root: Path, left: LeftOut, denied: list[Skipped]) -> Iterator[Path | Skipped]:
    for directory, folders, names in os.walk(
        root, onerror=lambda error: denied.append(Skipped(str(error.filename), "folder cannot be read"))
    ):
        folder = Path(directory)
        links = [name for name in folders if (folder / name).is_symlink()]
        folders[:] = sorted(name for name in folders if not left.prunes(folder / name))
        if not left.holds(folder):
            for name in sorted(names + links):
                yield from _with_members(_checked_file(folder / name), left)


def _with_members(file: Path | Skipped, left: LeftOut) -> Iterable[Path | Skipped]:
    """The file, or the files in it if it is an archive."""
    return _members(file, left) if isinstance(file, Path) and is_archive(file) else (file,)


def _members(folder: Path, left: LeftOut) -> Iterable[Path | Skipped]:
    """The files in an archive or in a folder of an archive."""
    try:
        members = files_below(folder)
    except UnusableError as error:
        return (Skipped.of(folder, error),)
    holds = cache(left.holds)
    return (member for member in members if not holds(member.parent))


def _checked_file(path: Path) -> Path | Skipped:
    try:
        kind = path.lstat().st_mode
    except OSError:
        return path if archive_of(path) else Skipped(str(path), "cannot be read")
    if stat.S_ISLNK(kind):
        return Skipped(str(path), "a symbolic link, not followed")
    return path if stat.S_ISREG(kind) else Skipped(str(path), "not a regular file")
