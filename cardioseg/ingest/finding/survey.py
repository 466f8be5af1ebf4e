"""Discover: walk a tree, group images by series and say by geometry what each series is, never by a name."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cardioseg.errors import NoInputError, UnusableError
from cardioseg.image.foreign_formats import foreign
from cardioseg.image.volume_files import is_volume_file
from cardioseg.ingest.cine.repeated_slices import CINE_PHASES
from cardioseg.ingest.cine.series import Kind, Series, judge
from cardioseg.ingest.cine.shared_ids import is_stack_of_films, same_image, scans_of
from cardioseg.ingest.cine.slice_positions import by_orientation
from cardioseg.ingest.cine.split_series import join_split_series
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.finding.distinct_names import distinct_names
from cardioseg.skipped import Skipped

__all__ = ["Kind", "LeftOut", "Series", "Survey", "case_ids", "judge", "survey", "survey_paths"]


@dataclass(frozen=True)
class LeftOut:
    """What is never looked into.

    Attributes:
        folder: with all that is below it; absolute, links resolved.
        beside: names of files; where one of them is, the files of that folder are results and no scans.
    """

    folder: Path | None = None
    beside: tuple[str, ...] = ()

    def prunes(self, folder: Path) -> bool:
        """Whether nothing below the folder counts."""
        return self.folder is not None and folder.resolve().is_relative_to(self.folder)

    def holds(self, folder: Path) -> bool:
        """Whether the files in the folder, those below it aside, do not count."""
        return any((folder / name).is_file() for name in self.beside) or self.prunes(folder)


NOTHING = LeftOut()


@dataclass(frozen=True)
class Survey:
    """What a tree holds: its series, in the order of their folders, and the files that are of no use."""

    root: Path
    series: tuple[Series, ...]
    unused: tuple[Skipped, ...]

    @property
    def cines(self) -> tuple[Series, ...]:
        """The short-axis cines, also those that cannot be stacked: their `reason` says why."""
        return tuple(series for series in self.series if series.kind is Kind.SHORT_AXIS_CINE)


def survey(root: Path) -> Survey:
    """Read the headers of every file below `root` (or of the file `root`) and judge every series.

    Raises:
        NoInputError: there is no such file or folder.
    """
    if not root.exists():
        raise NoInputError(f"{root}: no such file or folder")
    return survey_paths(root, (root,))


def survey_paths(root: Path, paths: Iterable[Path], left: LeftOut = NOTHING) -> Survey:
    """The same of some folders and files below `root`."""
    headers: list[SliceHeader] = []
    unused: list[Skipped] = []
    for file in regular_files(root, paths, left):
        file_headers = _headers(file) if isinstance(file, Path) else file
        if isinstance(file_headers, Skipped):
            unused.append(file_headers)
        else:
            headers += file_headers
    originals, copies = _without_copies(headers)
    series = join_split_series([judge(group) for group in _by_series(originals)])
    ordered = sorted(series, key=lambda unit: (unit.folder, unit.headers[0].path, unit.headers[0].frame or 0))
    strays = (stray for unit in ordered for stray in unit.strays)
    return Survey(root, tuple(ordered), (*unused, *copies, *strays))


def case_ids(root: Path, cases: Sequence[Series]) -> list[str]:
    """The user's own name for each case: the topmost folder under `root` that holds this case alone.

    Folders that are called alike are told apart by those that they lie in, as `p1_sax` and `p2_sax`. Cases that share a
    folder share its name, with `-2`, `-3`; a case that lies in `root` itself has the name of `root`.
    """
    near = touching(cases)
    return distinct_names([own_folder(root, case.folder, near).resolve() for case in cases])


def touching(cases: Iterable[Series]) -> Mapping[Path, set[Path]]:
    """Folder -> folders of the cases that have files below it."""
    cases_below: dict[Path, set[Path]] = defaultdict(set)
    for case in cases:
        for folder in {header.path.parent for header in case.headers}:
            for parent in (folder, *folder.parents):
                cases_below[parent].add(case.folder)
    return cases_below


def own_folder(root: Path, folder: Path, touching: Mapping[Path, set[Path]]) -> Path:
    """From just under `root` down to the case's folder, the first folder that no case from elsewhere touches."""
    below = [path for path in (folder, *folder.parents) if path != root and path.is_relative_to(root)]
    return next((path for path in reversed(below) if touching[path] == {folder}), folder)


def regular_files(root: Path, paths: Iterable[Path], left: LeftOut = NOTHING) -> Iterator[Path | Skipped]:
    """Regular files in the order of their paths. Links are not followed: they may lead out of the tree or round it."""
    denied: list[Skipped] = []
    for path in paths:
        if path == root and path.is_file():
            yield path
        elif path != root and (path.is_symlink() or not path.is_dir()):
            if not left.holds(path.parent):
                yield _regular(path)
        else:
            yield from _walk(path, left, denied)
    yield from denied


def _walk(root: Path, left: LeftOut, denied: list[Skipped]) -> Iterator[Path | Skipped]:
    for directory, folders, names in os.walk(
        root, onerror=lambda error: denied.append(Skipped(str(error.filename), "folder cannot be read"))
    ):
        folder = Path(directory)
        links = [name for name in folders if (folder / name).is_symlink()]
        folders[:] = sorted(name for name in folders if not left.prunes(folder / name))
        if not left.holds(folder):
            yield from (_regular(folder / name) for name in sorted(names + links))


def _regular(path: Path) -> Path | Skipped:
    try:
        kind = path.lstat().st_mode
    except OSError:
        return Skipped(str(path), "cannot be read")
    if stat.S_ISLNK(kind):
        return Skipped(str(path), "a symbolic link, not followed")
    return path if stat.S_ISREG(kind) else Skipped(str(path), "not a regular file")


def _headers(path: Path) -> tuple[SliceHeader, ...] | Skipped:
    try:
        return read_headers(path)
    except UnusableError as error:
        foreign_format = None if is_volume_file(path) else foreign(path)
        return Skipped(
            str(path), ": ".join(foreign_format) if foreign_format else error.message.removeprefix(f"{path}: ")
        )


def _without_copies(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[Skipped]]:
    """Keep one of each image: a copy names the same instance, says the same of it and has the same pixels."""
    originals: list[SliceHeader] = []
    originals_by_header: dict[SliceHeader, list[SliceHeader]] = defaultdict(list)
    copies: dict[Path, Skipped] = {}
    for header in headers:
        same_header = originals_by_header[replace(header, path=Path() if header.sop_uid else header.path)]
        original = next((candidate for candidate in same_header if same_image(candidate, header)), None)
        if original is None:
            same_header.append(header)
            originals.append(header)
        else:
            copies[header.path] = Skipped(str(header.path), f"a copy of {original.path}")
    return originals, list(copies.values())


def _by_series(headers: Sequence[SliceHeader]) -> Iterator[list[SliceHeader]]:
    """Group by study and series; files that name no series belong to their folder.

    Folders that hold different scans of one series are of several: see `scans_of`. Where a series is a stack of films
    among others, it is taken apart by orientation. Too few images for a film stay with the largest stack, to be left
    out of it by name.
    """
    groups: dict[tuple[str, str], list[SliceHeader]] = defaultdict(list)
    for header in headers:
        groups[header.study_uid, header.series_uid or str(header.path.parent)].append(header)
    for scan in (scan for group in groups.values() for scan in scans_of(group)):
        orientations = sorted(by_orientation(scan), key=len, reverse=True)
        if any(is_stack_of_films(orientation) for orientation in orientations):
            few = [
                header for orientation in orientations[1:] if len(orientation) < CINE_PHASES for header in orientation
            ]
            yield [*orientations[0], *few]
            yield from (orientation for orientation in orientations[1:] if len(orientation) >= CINE_PHASES)
        else:
            yield scan
