"""Discover: walk a tree, group files by series and say by geometry what each series is, never by a name."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import mode

from cardioseg.errors import NoInputError, UnusableError
from cardioseg.files import unique_names
from cardioseg.ingest.dicom import SliceHeader, read_header
from cardioseg.ingest.stack import Stack, by_position, same_plane_direction, stack
from cardioseg.ingest.subject import Skipped

CINE_SLICES = 5  # fewer parallel planes do not cover a ventricle
CINE_PHASES = 8  # fewer are no film of a heart beat; clinical cines have 15 to 50


class Kind(StrEnum):
    """What a series is. Only a short-axis cine can be segmented."""

    SHORT_AXIS_CINE = "short-axis cine"
    SHORT_CINE = "cine of too few slices"
    SINGLE_SLICE_CINE = "single-slice cine"
    OTHER_CINE = "cine in several orientations"
    STACK = "stack"
    LOCALIZER = "localizer"
    SINGLE_IMAGE = "single slice"
    NOT_MR = "not MR"


@dataclass(frozen=True)
class Series:
    """The files of one series and a verdict.

    Attributes:
        headers: one a file, in the order of their paths.
        kind: what the series is, from its geometry.
        reason: why, or what keeps it from being used, in one line.
        slices: number of slice positions.
        phases: files at most positions.
        stack: the arrangement of its slices, or None where they cannot be arranged.
    """

    headers: tuple[SliceHeader, ...]
    kind: Kind
    reason: str
    slices: int
    phases: int
    stack: Stack | None

    @property
    def folder(self) -> Path:
        """The deepest folder that holds every file."""
        return Path(os.path.commonpath([header.path.parent for header in self.headers]))

    @property
    def shape(self) -> tuple[int, int] | None:
        """(rows, columns), or None where they differ."""
        shapes = {header.shape for header in self.headers}
        return shapes.pop() if len(shapes) == 1 else None

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """(slice, row, column), or None where there is no stack."""
        return self.stack.grid.spacing_mm if self.stack else None


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
    entries = [_header(found) if isinstance(found, Path) else found for found in _walk(root)]
    headers = [entry for entry in entries if isinstance(entry, SliceHeader)]
    unused = tuple(entry for entry in entries if isinstance(entry, Skipped))
    series = sorted((judge(group) for group in _by_series(headers)), key=lambda one: (one.folder, one.headers[0].path))
    return Survey(root, tuple(series), unused)


def judge(headers: Sequence[SliceHeader]) -> Series:
    """Say what the files of one series are."""
    headers = sorted(headers, key=lambda header: header.path)
    orientations = _orientations(headers)
    positions = [len(group) for one in orientations for group in by_position(one)]
    slices, phases = len(positions), mode(positions)
    arranged, reason = _arrange(headers, f"{slices} parallel planes" + f" of {phases} phases" * (phases > 1))
    kind = _kind(headers, len(orientations), slices, phases)
    if kind is Kind.NOT_MR:
        reason = "another modality"
    elif len(orientations) > 1:
        reason = f"{len(orientations)} orientations"
    return Series(tuple(headers), kind, reason, slices, phases, arranged)


def case_ids(root: Path, cases: Sequence[Series]) -> list[str]:
    """The user's own name for each case: the topmost folder under `root` that holds this case alone.

    Cases that share a folder share its name, with `-2`, `-3`; a case that lies in `root` itself has the name of `root`.
    """
    touching: dict[Path, set[Path]] = defaultdict(set)  # folder -> folders of the cases that have files below it
    for case in cases:
        for folder in {header.path.parent for header in case.headers}:
            for above in (folder, *folder.parents):
                touching[above].add(case.folder)
    return unique_names(_own_folder(root, case.folder, touching).resolve().name for case in cases)


def _walk(root: Path) -> Iterator[Path | Skipped]:
    """Regular files in the order of their paths. Links are not followed: they may lead out of the tree or round it."""
    if root.is_file():
        yield root
        return
    denied: list[Skipped] = []
    for folder, folders, names in os.walk(
        root, onerror=lambda error: denied.append(Skipped(str(error.filename), "folder cannot be read"))
    ):
        folders.sort()
        for name in sorted(names + [name for name in folders if Path(folder, name).is_symlink()]):
            yield _regular(Path(folder, name))
    yield from denied


def _regular(path: Path) -> Path | Skipped:
    try:
        kind = path.lstat().st_mode
    except OSError:
        return Skipped(str(path), "cannot be read")
    if stat.S_ISLNK(kind):
        return Skipped(str(path), "a symbolic link, not followed")
    return path if stat.S_ISREG(kind) else Skipped(str(path), "not a regular file")


def _header(path: Path) -> SliceHeader | Skipped:
    try:
        return read_header(path)
    except UnusableError as error:
        return Skipped(str(path), error.message.removeprefix(f"{path}: "))


def _by_series(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Group by study and series; files that name no series belong to their folder."""
    groups: dict[tuple[str, str], list[SliceHeader]] = defaultdict(list)
    for header in headers:
        groups[header.study_uid, header.series_uid or str(header.path.parent)].append(header)
    return list(groups.values())


def _orientations(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    groups: list[list[SliceHeader]] = []
    for header in headers:
        alike = next((group for group in groups if same_plane_direction(group[0], header)), None)
        if alike is None:
            groups.append([header])
        else:
            alike.append(header)
    return groups


def _arrange(headers: Sequence[SliceHeader], reason: str) -> tuple[Stack | None, str]:
    try:
        return stack(headers), reason
    except UnusableError as error:
        return None, error.message


def _kind(headers: Sequence[SliceHeader], orientations: int, slices: int, phases: int) -> Kind:
    if not all(header.is_mr for header in headers):
        return Kind.NOT_MR
    moving = phases >= CINE_PHASES
    if orientations > 1:
        return Kind.OTHER_CINE if moving else Kind.LOCALIZER
    if slices == 1:
        return Kind.SINGLE_SLICE_CINE if moving else Kind.SINGLE_IMAGE
    if not moving:
        return Kind.STACK
    return Kind.SHORT_AXIS_CINE if slices >= CINE_SLICES else Kind.SHORT_CINE


def _own_folder(root: Path, folder: Path, touching: Mapping[Path, set[Path]]) -> Path:
    """From just under `root` down to the case's folder, the first folder that no case from elsewhere touches."""
    below = [path for path in (folder, *folder.parents) if path != root and path.is_relative_to(root)]
    return next((path for path in reversed(below) if touching[path] == {folder}), folder)
