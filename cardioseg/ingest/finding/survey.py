"""Survey: read a tree, group images by series and classify each series by its geometry, never by a name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cardioseg.archive.member_paths import archive_of, exists, files_below
from cardioseg.errors import NoInputError, UnusableError
from cardioseg.image.foreign_formats import foreign
from cardioseg.image.volume_files import is_volume_file
from cardioseg.ingest.cine.acquisition_days import with_comparable_times
from cardioseg.ingest.cine.continued_stacks import join_continued_stacks
from cardioseg.ingest.cine.ids_per_image import without_ids_per_image
from cardioseg.ingest.cine.repeated_slices import CINE_PHASES
from cardioseg.ingest.cine.series import Kind, Series, judge
from cardioseg.ingest.cine.shared_ids import is_stack_of_films, same_image, scans_of
from cardioseg.ingest.cine.slice_positions import by_orientation
from cardioseg.ingest.cine.split_series import join_split_series
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.finding.distinct_names import distinct_names
from cardioseg.ingest.finding.scan_files import NOTHING, LeftOut, regular_files
from cardioseg.skipped import Skipped

__all__ = ["Kind", "Series", "Survey", "case_ids", "judge", "survey", "survey_paths"]


@dataclass(frozen=True)
class Survey:
    """The series of a tree, in the order of their folders, and the files that are not used."""

    root: Path
    series: tuple[Series, ...]
    unused: tuple[Skipped, ...]

    @property
    def cines(self) -> tuple[Series, ...]:
        """The short-axis cines, including those that cannot be stacked: their `reason` says why."""
        return tuple(series for series in self.series if series.kind is Kind.SHORT_AXIS_CINE)


def survey(root: Path) -> Survey:
    """Read the headers of every file below `root` (or of the file `root`) and judge every series.

    Raises:
        NoInputError: there is no such file or folder.
    """
    if not exists(root):
        raise NoInputError(f"{root}: no such file or folder")
    return survey_paths(root, (root,))


def survey_paths(root: Path, paths: Iterable[Path], left: LeftOut = NOTHING) -> Survey:
    """Survey only some folders and files below `root`."""
    headers: list[SliceHeader] = []
    unused: list[Skipped] = []
    for file in regular_files(root, paths, left):
        file_headers = _headers(file) if isinstance(file, Path) else file
        if isinstance(file_headers, Skipped):
            unused.append(file_headers)
        else:
            headers += file_headers
    originals, copies = _without_copies(headers)
    series = join_continued_stacks(join_split_series([judge(group) for group in _by_series(originals)]))
    ordered = sorted(series, key=_place_and_age)
    strays = (stray for entry in ordered for stray in entry.strays)
    return Survey(root, tuple(ordered), (*_counted_by_archive([*unused, *copies]), *strays))


def _place_and_age(series: Series) -> tuple[Any, ...]:
    """Sort key: by folder; within a folder from the earliest to the latest acquisition; then by file."""
    first = series.headers[0]
    return series.folder, min(header.age for header in series.headers), first.path, first.frame or 0


def case_ids(root: Path, cases: Sequence[Series]) -> list[str]:
    """The name of each case: that of the topmost folder below `root` that contains only this case.

    Folders of the same name are preceded by the folders that contain them, as `p1_sax` and `p2_sax`. Cases that share a
    folder get its name with `-2`, `-3`, the earliest first; a case directly in `root` is named after `root`.
    """
    near = touching(cases)
    return distinct_names([own_folder(root, case.folder, near).resolve() for case in cases])


def touching(cases: Iterable[Series]) -> Mapping[Path, set[Path]]:
    """Folder -> folders of the cases with files in it or below it."""
    cases_below: dict[Path, set[Path]] = defaultdict(set)
    for case in cases:
        for folder in {header.path.parent for header in case.headers}:
            for parent in (folder, *folder.parents):
                cases_below[parent].add(case.folder)
    return cases_below


def own_folder(root: Path, folder: Path, touching: Mapping[Path, set[Path]]) -> Path:
    """The topmost folder below `root`, on the way to the case's folder, that contains files of this case only."""
    below = [path for path in (folder, *folder.parents) if path != root and path.is_relative_to(root)]
    return next((path for path in reversed(below) if touching[path] == {folder}), folder)


def _headers(path: Path) -> tuple[SliceHeader, ...] | Skipped:
    try:
        return read_headers(path)
    except UnusableError as error:
        foreign_format = None if is_volume_file(path) else foreign(path)
        return Skipped(str(path), ": ".join(foreign_format)) if foreign_format else Skipped.of(path, error)


def _counted_by_archive(unused: Sequence[Skipped]) -> Iterator[Skipped]:
    """The files that are not used; if an archive has only such files, it is one line."""
    groups: dict[Path | None, list[Skipped]] = defaultdict(list)
    for item in unused:
        groups[archive_of(Path(item.where))].append(item)
    for archive, items in groups.items():
        places = [Path(item.where) for item in items]
        if archive is None or not _are_all(archive, places):
            yield from items
        else:
            first = f"the first is {places[0].relative_to(archive)}: {items[0].why}"
            yield Skipped(str(archive), f"none of its {len(items)} files is used; {first}")


def _are_all(archive: Path, places: Sequence[Path]) -> bool:
    """Whether these are all files of an archive of several files, without any volume file, which is judged later."""
    if len(places) == 1 or any(map(is_volume_file, places)):
        return False
    return len(places) == len(files_below(archive))


def _without_copies(headers: Sequence[SliceHeader]) -> tuple[list[SliceHeader], list[Skipped]]:
    """Keep one of each image: a copy has the same series, the same header values and the same pixels.

    Its instance id may be a new one if it has a series id. Images without instance ids are no copies of each other.
    """
    originals: list[SliceHeader] = []
    originals_by_header: dict[SliceHeader, list[SliceHeader]] = defaultdict(list)
    copies: dict[Path, Skipped] = {}
    for header in headers:
        same_header = originals_by_header[_without_name(header)]
        original = next((candidate for candidate in same_header if same_image(candidate, header)), None)
        if original is None:
            same_header.append(header)
            originals.append(header)
        else:
            copies[header.path] = Skipped(str(header.path), f"a copy of {original.path}")
    return originals, list(copies.values())


def _without_name(header: SliceHeader) -> SliceHeader:
    """What is equal for copies of an image."""
    if not header.sop_uid:
        return header
    return replace(header, path=Path(), sop_uid="" if header.series_uid else header.sop_uid)


def _by_series(headers: Sequence[SliceHeader]) -> Iterator[list[SliceHeader]]:
    """Group by study and series; images without a series id by their folder and series number.

    If folders contain different scans with one series id, they are separate: see `scans_of`. If one orientation of a
    series is a stack of films, the series is split by orientation. Orientations with too few images for a film stay
    with the largest stack, which names them as strays.
    """
    groups: dict[tuple[str, str], list[SliceHeader]] = defaultdict(list)
    for header in without_ids_per_image(with_comparable_times(headers)):
        series = header.series_uid or f"{header.series_number} in {header.path.parent}"
        groups[header.study_uid, series].append(header)
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
