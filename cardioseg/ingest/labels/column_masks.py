"""Column masks: the masks that one row of a table names, as a label map on the grid of its image."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.alignment import on_grid
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention, Label, whole
from cardioseg.image.slicer_segmentation import is_segmentation
from cardioseg.image.volume import Cine, Grid, Voxels
from cardioseg.image.volume_files import format_of, is_volume_file
from cardioseg.ingest.finding.survey import survey
from cardioseg.ingest.labels.csv_table import file_named
from cardioseg.ingest.labels.drawn_labels import on_image
from cardioseg.ingest.labels.named_mask import NamedMask, read_named_mask
from cardioseg.ingest.labels.numbered_labels import labels_of
from cardioseg.ingest.labels.painting import Drawn, left_out, painted
from cardioseg.ingest.labels.png import read_png
from cardioseg.ingest.labels.structures import Meaning, Structure
from cardioseg.text_table import Cells

NUMBERED = "mask"
STRUCTURE_COLUMNS = {
    "myo_mask": Structure.LV_MYOCARDIUM,
    "rv_mask": Structure.RV_CAVITY,
    "lv_mask": Structure.LV_CAVITY,
}
"""Column -> its structure."""
_ON_IMAGE = "in 3D Slicer, set the segmentation's source geometry to the image before drawing"


class SeveralStructuresError(UnusableError):
    """A mask for one structure contains several; the subject's other masks are not trusted either."""


@dataclass(frozen=True)
class ColumnMasks:
    """The masks of a row.

    Attributes:
        drawn: `Label` values (phase, slice, row, column).
        labels: the labels that the row gives.
        left_out: what is left out of them and why; a line each.
    """

    drawn: NDArray[np.uint8] = field(repr=False)
    labels: tuple[Label, ...]
    left_out: tuple[str, ...] = ()


def read_column_masks(root: Path, row: Cells, image: Voxels, grid: Grid | None, meaning: Meaning) -> ColumnMasks:
    """Read the masks of a row.

    Args:
        root: the folder of the table.
        row: of the table.
        image: its image (phase, slice, row, column).
        grid: of the image; None for a PNG.
        meaning: of the numbers in the column `mask`, else ACDC's, and of the names of segments.

    Raises:
        CoveredStructureError: a mask covers (nearly) all of another one.
        UnusableError: there is no mask, or one cannot be read or does not lie on the image.
    """
    columns = _columns(row)
    named = _named(root, row, grid, meaning)
    masks = {name: _mask(root, row[name], image, grid) for name in columns if not (named and name == NUMBERED)}
    for column in columns:
        if column != NUMBERED:
            _require_one_structure(masks[column], row[column], column)
    labels = {STRUCTURE_COLUMNS[name].label for name in columns if name != NUMBERED}
    convention = CONVENTIONS["acdc"]
    if named:
        masks[NUMBERED] = named.mask.voxels
        labels |= set(named.labels)
    elif NUMBERED in columns:
        convention = meaning.numbers or convention
        labels |= set(STRUCTURES)
    combined = _combined_labels(masks, convention)
    remarks = named.left_out if named else [line for line in [left_out(_drawn(masks))] if line]
    return ColumnMasks(combined, tuple(sorted(labels)), tuple(remarks))


def read_image(path: Path) -> tuple[Voxels, Grid | None]:
    """(phase, slice, row, column), and the grid of a volume file or of the only cine in a folder of DICOM files.

    Raises:
        UnusableError: it cannot be read, or the folder does not hold one cine.
    """
    if path.is_dir():
        cine = _only_cine(path)
        return cine.voxels, cine.grid
    if not is_volume_file(path):
        return read_png(path)[None, None], None
    cine = format_of(path).read_cine(path)
    return cine.voxels, cine.grid


def _only_cine(folder: Path) -> Cine:
    cines = survey(folder).cines
    if len(cines) != 1:
        raise UnusableError(f"{folder}: {len(cines)} short-axis cines in the folder, expected one")
    if cines[0].stack is None:
        raise UnusableError(f"{folder}: {cines[0].reason}")
    return cines[0].stack.read()


def _columns(row: Cells) -> list[str]:
    """The columns in which a row names masks."""
    columns = [name for name in (NUMBERED, *STRUCTURE_COLUMNS) if row.get(name)]
    if not columns:
        raise UnusableError("the row names no mask")
    if NUMBERED in columns and len(columns) > 1:
        others = " and ".join(f"`{name}`" for name in columns[1:])
        raise UnusableError(f"the row names a mask in `{NUMBERED}` and in {others}: leave one or the other empty")
    return columns


def numbered_masks(root: Path, rows: Iterable[Cells]) -> Iterator[Voxels]:
    """The masks in the column `mask` whose numbers need a meaning, read one after the other, without unusable ones."""
    for name in dict.fromkeys(row.get(NUMBERED, "") for row in rows):
        try:
            path = file_named(root, name)
            if not is_segmentation(path):
                yield read_image(path)[0]
        except (UnusableError, OSError, ValueError):  # said when the row is read
            continue


def _named(root: Path, row: Cells, grid: Grid | None, meaning: Meaning) -> NamedMask | None:
    """The segmentation of 3D Slicer in the column `mask`, on the grid of the image; None if it is none."""
    if not row.get(NUMBERED) or not is_segmentation(path := file_named(root, row[NUMBERED])):
        return None
    named = read_named_mask(path, meaning)
    mask = None if grid is None else on_grid(named.mask, grid, grid.rounding_mm)
    if mask is None:
        raise UnusableError(f"{row[NUMBERED]}: its voxels are not voxels of the image", _ON_IMAGE)
    return replace(named, mask=mask)


def _require_one_structure(mask: Voxels, name: str, column: str) -> None:
    """Refuse a mask of several structures, which would all become the structure of the column."""
    numbers = [f"{number:.7g}" for number in np.unique(whole(mask)).tolist() if number]
    rule = f"`{column}` is for a mask of one structure"
    if len(numbers) >= len(Label):
        raise SeveralStructuresError(
            f"{name} holds {len(numbers)} numbers besides 0: save the structure as one number; {rule}"
        )
    if len(numbers) > 1:
        listed = f"{', '.join(numbers[:-1])} and {numbers[-1]}"
        raise SeveralStructuresError(f"{name} holds the numbers {listed}: put it in the column `{NUMBERED}`; {rule}")


def _combined_labels(masks: Mapping[str, Voxels], convention: Convention) -> NDArray[np.uint8]:
    """The labels (phase, slice, row, column) of all masks of a row together."""
    phases = {len(mask) for mask in masks.values()}
    if len(phases) > 1:
        raise UnusableError(f"its masks have {' and '.join(map(str, sorted(phases)))} phases")
    shape = next(iter(masks.values())).shape
    if NUMBERED in masks:
        return labels_of(masks[NUMBERED], convention)
    drawn = _drawn(masks)
    of_phases = ({structure: inside[phase] for structure, inside in drawn.items()} for phase in range(shape[0]))
    return np.stack([painted(of_phase, shape[1:]) for of_phase in of_phases])


def _drawn(masks: Mapping[str, Voxels]) -> Drawn:
    """What each column of one structure draws (phase, slice, row, column)."""
    return {STRUCTURE_COLUMNS[name]: whole(mask) != 0 for name, mask in masks.items() if name in STRUCTURE_COLUMNS}


def _mask(root: Path, name: str, image: Voxels, grid: Grid | None) -> Voxels:
    mask, mask_grid = read_image(file_named(root, name))
    if grid and mask_grid:
        try:
            return on_image(Cine(mask, mask_grid), grid).voxels
        except UnusableError as error:
            raise UnusableError(f"{name}: {error.message}") from None
    if mask.shape[1:] != image.shape[1:]:
        raise UnusableError(f"{name}: its size {mask.shape[2:]} is not the image's {image.shape[2:]}")
    return mask
