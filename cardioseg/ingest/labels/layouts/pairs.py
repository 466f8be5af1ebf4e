"""Pairs: images and masks as PNG or volume files, listed in a CSV in the root. The layout for users' own data.

Columns: `subject`, `image`, and one or more of `mask` (ACDC's numbers, or a segmentation of 3D Slicer, whose segments
have names), `lv_mask`, `rv_mask`, `myo_mask` (zero and one other number, the structure); optional `group`, `phase` and
`instance` (the order of slices). The PNG slices of a subject's phase become one volume without a spacing; each volume
file is one volume, and so is the cine in a folder of DICOM files. Each phase of a 4D image on which its 4D mask is
drawn is a volume; for a 3D mask, `phase` is the number of its phase, from 0. For 3D images and PNG, `phase` says ED or
ES, or is a number; the names of the two images of a subject may say it, too (`p1_ED`, `p1_ES`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.files import unique_names
from cardioseg.image.labels import Label
from cardioseg.image.slicer_segmentation import is_segmentation
from cardioseg.image.volume import Grid, Voxels
from cardioseg.image.volume_files import stem
from cardioseg.ingest.finding.first_image import patient_in
from cardioseg.ingest.labels.column_masks import (
    NUMBERED,
    STRUCTURE_COLUMNS,
    SeveralStructuresError,
    numbered_masks,
    read_column_masks,
    read_image,
)
from cardioseg.ingest.labels.csv_table import file_named, misspelt, tables_in
from cardioseg.ingest.labels.drawn_labels import drawn_phases, require_several_labels
from cardioseg.ingest.labels.ed_es_names import cines_of, stated_moment, unknown_moments, with_stated_moments
from cardioseg.ingest.labels.painting import CoveredStructureError
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject, annotation
from cardioseg.skipped import Skipped
from cardioseg.text_table import Cells, columns_of, is_blank, read_table, whole_number

NAME = "pairs"
HAS_NUMBERS = True
HAS_NAMES = True
LOOKS_FOR = "a .csv with columns subject, image and one of mask, lv_mask, myo_mask, rv_mask"
_NEEDED = ("subject", "image")
_MASKS = (NUMBERED, *STRUCTURE_COLUMNS)
_COLUMNS = (*_NEEDED, *_MASKS, "group", "phase", "instance")
_WORKBOOKS = (".xlsx", ".xls", ".ods")
_ONE_PHASE = "give the number of its phase, from 0, in the column phase"
_NAME_STRUCTURE = (
    "name the column lv_mask, rv_mask or myo_mask after the structure, or say with --labels what the numbers mean"
)
_STATE_PHASES = "write ED and ES in the column phase, each once for a subject, or the number of the phase, from 0"


@dataclass(frozen=True)
class _Pair:
    """An image and its labels, read.

    Attributes:
        image: (slice, row, column).
        mask: `Label` values, likewise.
        labels: the labels that the row gives.
        grid: None for a PNG.
        path: path of the image.
        phase: phase of a 4D image, from 0; else None.
    """

    image: Voxels
    mask: NDArray[np.uint8]
    labels: tuple[Label, ...]
    grid: Grid | None
    path: Path
    phase: int | None = None

    @property
    def name(self) -> str:
        """The name of its volume if a subject has several."""
        return stem(self.path) + ("" if self.phase is None else f"_phase{self.phase:02d}")

    @property
    def annotated(self) -> NDArray[np.bool_]:
        """(slice, Label): the row's labels and the background, on every slice."""
        return annotation(len(self.image), self.labels)


def recognises(root: Path) -> bool:
    """Whether a CSV in `root` has the columns; the name of a column of masks may be misspelt."""
    return any(map(_is_table, tables_in(root)))


def misses(root: Path) -> Iterator[str]:
    """Tables that lack a column, tables elsewhere, and masks that no table lists."""
    for path in tables_in(root):
        if is_blank(path):
            yield f"{path} is empty"
            continue
        lacking = [f"no column {name}" for name in _NEEDED if name not in columns_of(path)]
        lacking += [] if _has_mask(path) else [f"none of {', '.join(_MASKS)}"]
        columns = ", ".join(columns_of(path)) or "(none can be read)"
        yield f"{path} has the columns {columns}; it has {' and '.join(lacking)}"
    for path in sorted(root.glob("*/*.csv")):
        if _is_table(path):
            yield f"{path} has the columns: give the folder {path.parent}"
    for path in sorted(path for path in root.glob("*") if path.suffix.lower() in _WORKBOOKS):
        yield f"{path} is a spreadsheet's own format: save it as CSV"
    masks = sum(1 for below in ("", "*/", "*/*/") for _ in root.glob(f"{below}*_gt.nii*"))
    if masks:
        yield f"{masks} NIfTI files *_gt lie below {root}: list them in a CSV with the columns subject,image,mask"


def find(root: Path, meaning: Meaning = AS_USUAL) -> Iterator[Source | Skipped]:
    """Yield the subjects in the order of the CSV, after the rows that name none.

    Raises:
        NoInputError: no CSV has the columns, or those that have them have no rows.
        UsageError: a convention is given, and no mask has numbers; none is given, and the masks hold a single number;
            or the name of a column is misspelt.
    """
    tables = [path for path in tables_in(root) if _is_table(path)]
    _refuse_misspelt(tables)
    if meaning.numbers is not None and not any(NUMBERED in columns_of(path) for path in tables):
        raise UsageError(f"--labels has no effect: no CSV in {root} has the column {NUMBERED}", "leave it out")
    by_subject: dict[str, list[Cells]] = defaultdict(list)
    for row in chain.from_iterable(read_table(path).rows for path in tables):
        by_subject[row.cells["subject"]].append(row.cells)
    if not by_subject:
        problem = f"{' and '.join(map(str, tables))} ha{'s' if len(tables) == 1 else 've'} a header but no rows"
        raise NoInputError(problem, "write a row for each image")
    unnamed = [Skipped(row.get("image") or str(root), "its row names no subject") for row in by_subject.pop("", [])]
    _require_segmentations(root, by_subject, meaning)
    if meaning.numbers is None:
        masks = numbered_masks(root, chain.from_iterable(by_subject.values()))
        require_several_labels(masks, f"all masks in the column `{NUMBERED}`", _NAME_STRUCTURE)
    images = {row.get("image", "") for rows in by_subject.values() for row in rows}
    shared = frozenset(name for name, count in Counter(stem(Path(image)) for image in images).items() if count > 1)
    read = partial(_subject, root, meaning, shared)
    named = (
        Source(name, name, partial(read, name, rows), patient_in(_folders(root, rows)))
        for name, rows in by_subject.items()
    )
    return chain(unnamed, named)


def _folders(root: Path, rows: Sequence[Cells]) -> Iterator[Path]:
    """The folders of DICOM files that the rows of a subject name."""
    for row in rows:
        with suppress(UnusableError, OSError, ValueError):  # said when the row is read
            path = file_named(root, row.get("image", ""), may_be_folder=True)
            if path.is_dir():
                yield path


def _require_segmentations(root: Path, by_subject: Mapping[str, Sequence[Cells]], meaning: Meaning) -> None:
    """Refuse a table of names if no mask has names."""
    masks = (row.get(NUMBERED, "") for rows in by_subject.values() for row in rows)
    if meaning.names is not None and not any(mask and is_segmentation(root / mask) for mask in masks):
        raise UsageError(f"--structures has no effect: the labels in {root} have no names", "leave it out")


def _refuse_misspelt(tables: Sequence[Path]) -> None:
    """Refuse tables with a column that would be ignored though a known one is probably meant."""
    for path in tables:
        for name, meant in misspelt(path, _COLUMNS):
            hint = f"rename it to {meant} if you mean that; otherwise give it a name that is less similar"
            raise UsageError(f"{path}: there is no column {name}; {meant} is probably meant", hint)


def _is_table(path: Path) -> bool:
    return set(_NEEDED) <= set(columns_of(path)) and _has_mask(path)


def _has_mask(path: Path) -> bool:
    """Whether the table has a column of masks, its name misspelt or not."""
    return not {*columns_of(path), *dict(misspelt(path, _MASKS)).values()}.isdisjoint(_MASKS)


def _subject(
    root: Path, meaning: Meaning, shared: Set[str], subject_id: str, rows: Sequence[Cells]
) -> Subject | Skipped:
    """Read the rows of a subject; `shared` are file names that several images have."""
    skipped: list[Skipped] = []
    by_phase: dict[str, list[_Pair]] = defaultdict(list)
    for row in sorted(rows, key=_order):
        try:
            by_phase[stated_moment(row.get("phase", ""))] += _pairs(root, row, meaning, skipped)
        except (SeveralStructuresError, CoveredStructureError):
            raise
        except (UnusableError, OSError, ValueError) as error:  # a name with a null byte is a ValueError
            skipped.append(Skipped(row.get("image", ""), str(error)))
    named = list(chain.from_iterable(_volumes_of_phase(phase, pairs) for phase, pairs in by_phase.items()))
    if not named:
        return Skipped(subject_id, f"none of its images can be used; the first: {skipped[0].why}")
    names = unique_names(name for name, _ in named)
    volumes = [_volume(root, subject_id, name, pairs, shared) for name, (_, pairs) in zip(names, named, strict=True)]
    volumes = with_stated_moments(volumes, [phase for phase, pairs in by_phase.items() if pairs])
    if len(cines_of(volumes)) > 1:  # a prediction named after the subject alone does not say of which cine it is
        volumes = [replace(volume, case_ids=volume.case_ids[1:]) for volume in volumes]
    remark = unknown_moments(volumes, _STATE_PHASES)
    return Subject(subject_id, tuple(volumes), rows[0].get("group", ""), tuple(skipped), unknown_moments=remark)


def _order(row: Cells) -> float:
    """By instance number; rows without one keep the order of the CSV."""
    return float(whole_number(row.get("instance", "")) or 0)


def _volumes_of_phase(phase: str, pairs: Sequence[_Pair]) -> Iterator[tuple[str, Sequence[_Pair]]]:
    """PNG slices of one size are one volume, named by its phase; otherwise every image is a volume."""
    is_one_volume = len({pair.image.shape for pair in pairs}) == 1 and all(pair.grid is None for pair in pairs)
    if is_one_volume or len(pairs) == 1:
        yield phase or "slices", pairs
    else:
        yield from ((pair.name, [pair]) for pair in pairs)


def _volume(root: Path, subject_id: str, name: str, pairs: Sequence[_Pair], shared: Set[str]) -> LabelledVolume:
    grid, files = pairs[0].grid, [stem(pair.path) for pair in pairs]
    return LabelledVolume(
        name=name,
        image=np.concatenate([pair.image for pair in pairs]),
        mask=np.concatenate([pair.mask for pair in pairs]),
        annotated=np.concatenate([pair.annotated for pair in pairs]),
        spacing_mm=grid.spacing_mm if grid else None,
        case_ids=(subject_id, *(f"{subject_id}/{file}" for file in files), *(f for f in files if f not in shared)),
        phase=pairs[0].phase,
        sources=tuple(str(pair.path.relative_to(root)) for pair in pairs for _ in pair.image),
        grid=grid,
    )


def _pairs(root: Path, row: Cells, meaning: Meaning, skipped: list[Skipped]) -> Iterator[_Pair]:
    """The pair of a row, or one for each phase of a 4D image on which something is drawn."""
    path = file_named(root, row.get("image", ""), may_be_folder=True)
    image, grid = read_image(path)
    masks = read_column_masks(root, row, image, grid, meaning)
    skipped += [Skipped(row.get(NUMBERED) or row["image"], remark) for remark in masks.left_out]
    stated = row.get("phase", "")
    phases = list(drawn_phases(len(image), masks.drawn, _ONE_PHASE, whole_number(stated)))
    if len(phases) > 1 and stated:
        said = f"the column phase says {stated!r}, but the mask is drawn at {len(phases)} phases"
        raise UnusableError(said, "give the number of the one phase that you mean, from 0, or leave the column empty")
    for phase in phases:
        mask = masks.drawn[phase if len(masks.drawn) > 1 else 0]
        yield _Pair(image[phase], mask, masks.labels, grid, path, phase if len(image) > 1 else None)
