"""Inspection: one row with a verdict for each DICOM series and each volume file of a tree."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cardioseg.archive.member_paths import is_archive, is_file
from cardioseg.errors import UnusableError
from cardioseg.image.foreign_formats import foreign
from cardioseg.image.volume_files import FORMATS, is_part, is_volume_file
from cardioseg.ingest.cine.volume_suitability import judge_volume
from cardioseg.ingest.finding.scan_files import place_of
from cardioseg.ingest.finding.survey import Series, survey
from cardioseg.skipped import Skipped

Row = tuple[str, int, int, int, str | None, str | None, str, str]

_NAMES = ["DICOM", *(f"{each.NAME} ({', '.join(sorted(each.SUFFIXES, key=len))})" for each in FORMATS)]
_FORMATS = f"{', '.join(_NAMES[:-1])} and {_NAMES[-1]}"


@dataclass(frozen=True)
class Inspection:
    """The scans of a tree.

    Attributes:
        rows: path, number of files, slices and phases, rows x columns, spacing in mm, kind and reason.
        unused: all other files.
    """

    rows: tuple[Row, ...]
    unused: tuple[Skipped, ...]

    @property
    def hint(self) -> str:
        """What to do if nothing can be used."""
        paths = (Path(item.where) for item in self.unused)
        formats = (foreign(path) for path in paths if not is_archive(path))
        return next(
            (f"the first is {format_name}: {remedy}" for format_name, remedy in filter(None, formats)),
            f"cardioseg reads {_FORMATS}",
        )


def inspect_scans(root: Path) -> Inspection:
    """Classify all files below `root`, or the file `root`.

    Raises:
        NoInputError: there is no such file or folder.
    """
    surveyed = survey(place_of(root))
    rows = [_series_row(series) for series in surveyed.series]
    unused: list[Skipped] = []
    for item in surveyed.unused:
        judged = _volume_row(Path(item.where)) if _is_volume_file(Path(item.where)) else item
        if isinstance(judged, Skipped):
            unused.append(judged)
        else:
            rows.append(judged)
    unused = [item for item in unused if not is_part(Path(item.where))]
    return Inspection(tuple(rows), tuple(unused))


def _is_volume_file(path: Path) -> bool:
    return is_volume_file(path) and is_file(path)


def _series_row(series: Series) -> Row:
    shape, spacing_mm = _times(series.shape), _spacing(series.spacing_mm)
    counts = len(series.files), series.slices, series.phases
    return (str(series.folder), *counts, shape, spacing_mm, str(series.kind), series.reason)


def _volume_row(path: Path) -> Row | Skipped:
    try:
        verdict = judge_volume(path)
    except UnusableError as error:
        return Skipped.of(path, error)
    grid = verdict.grid
    shape, spacing_mm = _times(grid.shape[1:]), _spacing(grid.spacing_mm)
    return (str(path), 1, grid.shape[0], verdict.phases, shape, spacing_mm, str(verdict.kind), verdict.reason)


def _times(shape: Iterable[int] | None) -> str | None:
    return "x".join(map(str, shape)) if shape else None


def _spacing(spacing_mm: Iterable[float] | None) -> str | None:
    return " x ".join(f"{mm:.2f}" for mm in spacing_mm) if spacing_mm else None
