"""Sheet: where the tiles of a contact sheet lie, in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from cardioseg.image.volume import Cine, Grid

_TILE_PX = 232
_SHEET_PX = 1_200_000  # all tiles together: below 1 MB of PNG on real scans
_COLUMNS_LIMIT = 8
_SLICES_LIMIT = 24
_MARGIN_MM = 15.0
_PAD_PX, _GAP_PX, _BAND_GAP_PX, _HEADER_PX, _GUTTER_PX = 16, 3, 14, 40, 26
_BASE_TO_APEX = np.array([1.0, -1.0, -1.0]) / np.sqrt(3)  # LPS: to the left, the front and the feet
_SURE = 0.75  # cosine; a grid without a real orientation has 0.58


@dataclass(frozen=True)
class Crop:
    """A rectangle of pixels: rows `top` to `bottom`, columns `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class Sheet:
    """A grid of tiles: slices from left to right, wrapped into bands; within a band one row a phase.

    Attributes:
        crop: what a tile shows of its slice.
        slices: slice indices, base first where the geometry says which end that is.
        phases: phase indices.
        tile: (height, width) of a tile.
        columns: tiles in a row.
    """

    crop: Crop
    slices: tuple[int, ...]
    phases: tuple[int, ...]
    tile: tuple[int, int]
    columns: int

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the sheet."""
        bottom, right = self.corner(len(self.slices) - 1, len(self.phases) - 1)
        full_row = self.corner(self.columns - 1, 0)[1]
        return bottom + self.tile[0] + _PAD_PX, max(right, full_row) + self.tile[1] + _PAD_PX

    def corner(self, slice_rank: int, phase_rank: int) -> tuple[int, int]:
        """(y, x) of a tile's top left corner."""
        band, column = divmod(slice_rank, self.columns)
        row = band * len(self.phases) + phase_rank
        height, width = self.tile[0] + _GAP_PX, self.tile[1] + _GAP_PX
        return _PAD_PX + _HEADER_PX + row * height + band * _BAND_GAP_PX, _PAD_PX + _GUTTER_PX + column * width


def lay_out(mask: Cine, phases: Sequence[int]) -> Sheet:
    """Lay out the slices of a case: cropped around its mask, in true proportions."""
    crop = crop_around(mask)
    height_mm = (crop.bottom - crop.top) * mask.grid.pixel_mm[0]
    width_mm = (crop.right - crop.left) * mask.grid.pixel_mm[1]
    slices = _slices(mask.grid)
    tile_px = min(_TILE_PX, (_SHEET_PX / (len(slices) * len(phases))) ** 0.5)
    px_per_mm = tile_px / max(height_mm, width_mm)
    bands = ceil(len(slices) / _COLUMNS_LIMIT)
    tile = (max(1, round(height_mm * px_per_mm)), max(1, round(width_mm * px_per_mm)))
    return Sheet(crop, slices, tuple(phases), tile, ceil(len(slices) / bands))


def crop_around(mask: Cine) -> Crop:
    """The rectangle around every label of every phase, with a margin; the whole image where the mask is empty."""
    heart = np.asarray(mask.voxels.any(axis=(0, 1)))
    rows, columns = mask.voxels.shape[2:]
    if not heart.any():
        return Crop(0, rows, 0, columns)
    margin_row, margin_column = (ceil(_MARGIN_MM / step_mm) for step_mm in mask.grid.pixel_mm)
    inside_rows, inside_columns = np.flatnonzero(heart.any(axis=1)), np.flatnonzero(heart.any(axis=0))
    return Crop(
        max(0, int(inside_rows[0]) - margin_row),
        min(rows, int(inside_rows[-1]) + margin_row + 1),
        max(0, int(inside_columns[0]) - margin_column),
        min(columns, int(inside_columns[-1]) + margin_column + 1),
    )


def _slices(grid: Grid) -> tuple[int, ...]:
    count = grid.shape[0]
    shown = np.unique(np.linspace(0, count - 1, min(count, _SLICES_LIMIT)).round().astype(int)).tolist()
    upward = float(np.dot(grid.directions[0], _BASE_TO_APEX)) < -_SURE
    return tuple(reversed(shown)) if upward else tuple(shown)
