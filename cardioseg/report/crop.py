"""Crop: the part of a scan that a picture shows: the heart with a margin, base first."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import in_plane_box
from cardioseg.image.orientation import is_base_first
from cardioseg.image.volume import Cine

_MARGIN_MM = 15.0
_SLICES_LIMIT = 24
_SLICES_AROUND = 2  # on either side of the heart, to show whether the stack covers base and apex


@dataclass(frozen=True)
class Crop:
    """A rectangle of pixels: rows `top` to `bottom`, columns `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, voxels: NDArray[np.generic]) -> NDArray[np.generic]:
        """The rectangle of images (..., row, column)."""
        return voxels[..., self.top : self.bottom, self.left : self.right]

    def fitted(self, pixel_mm: tuple[float, float], side_px: float, area_px: float) -> tuple[int, int]:
        """(height, width) of a picture in true proportions, sides at most `side_px` and area at most `area_px`."""
        height_mm, width_mm = (self.bottom - self.top) * pixel_mm[0], (self.right - self.left) * pixel_mm[1]
        px_per_mm = min(side_px / max(height_mm, width_mm), (area_px / (height_mm * width_mm)) ** 0.5)
        return max(1, round(height_mm * px_per_mm)), max(1, round(width_mm * px_per_mm))


def crop_around(mask: Cine) -> Crop:
    """The rectangle around all labels of all phases, with a margin; the whole image if the mask is empty."""
    rows, columns = mask.voxels.shape[2:]
    if not mask.voxels.any():
        return Crop(0, rows, 0, columns)
    down, across = in_plane_box(mask.voxels)
    margin_row, margin_column = (ceil(_MARGIN_MM / step_mm) for step_mm in mask.grid.pixel_mm)
    return Crop(
        max(0, down.start - margin_row),
        min(rows, down.stop + margin_row),
        max(0, across.start - margin_column),
        min(columns, across.stop + margin_column),
    )


def shown_slices(mask: Cine) -> tuple[int, ...]:
    """The slice indices to show, base first.

    A stack too long for one sheet is cut to the heart and its neighbours, and thinned if it is still too long.
    """
    first, last = 0, mask.grid.shape[0] - 1
    filled = np.flatnonzero(mask.voxels.any(axis=(0, 2, 3)))
    if last >= _SLICES_LIMIT and len(filled):
        first, last = max(first, int(filled[0]) - _SLICES_AROUND), min(last, int(filled[-1]) + _SLICES_AROUND)
    shown = np.linspace(first, last, min(last - first + 1, _SLICES_LIMIT)).round().astype(int).tolist()
    return tuple(shown) if is_base_first(mask) else tuple(reversed(shown))
