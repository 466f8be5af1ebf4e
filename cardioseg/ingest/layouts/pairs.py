"""Pairs: images and masks as PNG or NIfTI, listed in a CSV in the root. The layout for one's own data.

Columns: `subject`, `image`, and one or more of `mask` (ACDC's numbers), `lv_mask`, `rv_mask`, `myo_mask` (anything but
zero is the structure); optional `group`, `phase` and `instance` (the order of slices). The PNG slices of a subject's
phase become one volume without a spacing; a NIfTI image is a volume of its own.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import NoInputError, UnusableError
from cardioseg.files import unique_names
from cardioseg.image.labels import CONVENTIONS, Label, relabel, whole
from cardioseg.image.nifti import is_nifti, read_volume, stem
from cardioseg.image.volume import Grid, Voxels
from cardioseg.ingest.png import read_png
from cardioseg.ingest.subject import LabelledVolume, Skipped, Source, Subject

NAME = "pairs"
LOOKS_FOR = "a .csv separated by commas, with columns subject, image and one of mask, lv_mask, myo_mask, rv_mask"
_NUMBERED = "mask"
_STRUCTURES = {"myo_mask": Label.LV_MYOCARDIUM, "rv_mask": Label.RV_CAVITY, "lv_mask": Label.LV_CAVITY}  # later on top

Row = Mapping[str, str]


@dataclass(frozen=True)
class _Pair:
    """One row, read: `image` and `mask` (slice, row, column); `grid` is None for a PNG; `labels` are those it gives."""

    image: Voxels
    mask: NDArray[np.uint8]
    labels: tuple[Label, ...]
    grid: Grid | None
    path: Path

    @property
    def annotated(self) -> NDArray[np.bool_]:
        """(slice, Label): the row's labels and the background, on every slice."""
        flags = np.zeros((len(self.image), len(Label)), np.bool_)
        flags[:, [Label.BACKGROUND, *self.labels]] = True
        return flags


def recognises(root: Path) -> bool:
    """Whether a CSV in `root` has the columns."""
    return any(_is_table(path) for path in root.glob("*.csv"))


def find(root: Path) -> Iterator[Source | Skipped]:
    """Yield the subjects in the order of the CSV, after the rows that name none.

    Raises:
        NoInputError: no CSV has the columns, or those that have list nothing.
    """
    by_subject: dict[str, list[Row]] = defaultdict(list)
    for row in chain.from_iterable(_rows(path) for path in sorted(root.glob("*.csv")) if _is_table(path)):
        by_subject[row["subject"]].append(row)
    if not by_subject:
        raise NoInputError(f"{root}: no CSV lists any subject, image and mask")
    unnamed = [Skipped(row["image"] or str(root), "its row names no subject") for row in by_subject.pop("", [])]
    named = (Source(name, name, partial(_subject, root, name, rows)) for name, rows in by_subject.items())
    return chain(unnamed, named)


def _is_table(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            columns = set(next(csv.reader(file), []))
    except (OSError, csv.Error):
        return False
    return {"subject", "image"} <= columns and not columns.isdisjoint({_NUMBERED, *_STRUCTURES})


def _rows(table: Path) -> Iterator[Row]:
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            yield {key: (value or "").strip() for key, value in row.items() if key}


def _subject(root: Path, subject_id: str, rows: Sequence[Row]) -> Subject | Skipped:
    skipped: list[Skipped] = []
    by_phase: dict[str, list[_Pair]] = defaultdict(list)
    for row in sorted(rows, key=_order):
        try:
            by_phase[row.get("phase", "").lower()].append(_pair(root, row))
        except (UnusableError, OSError, ValueError) as error:  # a name with a null byte is a ValueError
            skipped.append(Skipped(row["image"], str(error)))
    named = list(chain.from_iterable(_grouped(phase, pairs) for phase, pairs in by_phase.items()))
    if not named:
        return Skipped(subject_id, f"none of its images can be used; the first: {skipped[0].why}")
    names = unique_names(name for name, _ in named)
    volumes = [_volume(root, subject_id, name, pairs) for name, (_, pairs) in zip(names, named, strict=True)]
    return Subject(subject_id, tuple(volumes), rows[0].get("group", ""), tuple(skipped))


def _order(row: Row) -> float:
    """By instance number; rows without one keep the order of the CSV."""
    number = row.get("instance", "")
    return float(number) if number.isdecimal() else 0.0


def _grouped(phase: str, pairs: Sequence[_Pair]) -> Iterator[tuple[str, Sequence[_Pair]]]:
    """PNG slices of one size are one volume, named by its phase; otherwise every image is its own."""
    together = len({pair.image.shape for pair in pairs}) == 1 and all(pair.grid is None for pair in pairs)
    if together or len(pairs) == 1:
        yield phase or "slices", pairs
    else:
        yield from ((stem(pair.path), [pair]) for pair in pairs)


def _volume(root: Path, subject_id: str, name: str, pairs: Sequence[_Pair]) -> LabelledVolume:
    grid = pairs[0].grid
    return LabelledVolume(
        name=name,
        image=np.concatenate([pair.image for pair in pairs]),
        mask=np.concatenate([pair.mask for pair in pairs]),
        annotated=np.concatenate([pair.annotated for pair in pairs]),
        spacing_mm=grid.spacing_mm if grid else None,
        case_ids=(subject_id, *(f"{subject_id}/{stem(pair.path)}" for pair in pairs)),
        phase=None,
        sources=tuple(str(pair.path.relative_to(root)) for pair in pairs for _ in pair.image),
        grid=grid,
    )


def _pair(root: Path, row: Row) -> _Pair:
    path = _inside(root, row["image"])
    image, grid = _read(path)
    mask = np.zeros(image.shape, np.uint8)
    if row.get(_NUMBERED):
        mask = relabel(_mask(root, row[_NUMBERED], image, grid), CONVENTIONS["acdc"])
    given = {column: label for column, label in _STRUCTURES.items() if row.get(column)}
    for column, label in given.items():
        mask[whole(_mask(root, row[column], image, grid)) != 0] = label
    labels = tuple(Label) if row.get(_NUMBERED) else tuple(given.values())
    if not labels:
        raise UnusableError("the row names no mask")
    return _Pair(image, mask, labels, grid, path)


def _mask(root: Path, name: str, image: Voxels, grid: Grid | None) -> Voxels:
    mask, mask_grid = _read(_inside(root, name))
    if mask.shape != image.shape:
        raise UnusableError(f"{name}: its size {mask.shape[1:]} is not the image's {image.shape[1:]}")
    if grid and mask_grid and not mask_grid.matches(grid):
        raise UnusableError(f"{name}: the mask is on another grid than the image")
    return mask


def _read(path: Path) -> tuple[Voxels, Grid | None]:
    if not is_nifti(path):
        return read_png(path)[None], None
    volume = read_volume(path)
    return volume.voxels, volume.grid


def _inside(root: Path, name: str) -> Path:
    """The file that a CSV names, which must lie below the folder of the CSV, links resolved.

    Raises:
        UnusableError: an absolute path, one that leads outside, or no file.
    """
    path = root / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.resolve().is_relative_to(root.resolve()):
        raise UnusableError(f"{name}: leads outside {root}")
    if not path.is_file():
        raise UnusableError(f"{path}: no such file")
    return path
