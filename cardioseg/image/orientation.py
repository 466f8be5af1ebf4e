"""Orientation: which end of a short-axis stack is basal."""

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine, Grid

_BASE_TO_APEX = np.array([1.0, -1.0, -1.0]) / np.sqrt(3)  # LPS: to the left, the front and the feet
_SURE = 0.75  # cosine; a grid without a real orientation has 0.58
_LEVEL = 1e-9  # a slope from rounding only


def is_base_first(mask: Cine) -> bool:
    """Whether slice 0 is the basal end: by the geometry if it is clear, else because the heart narrows to the apex.

    Args:
        mask: `Label` values (phase, slice, row, column).
    """
    return _runs_to_apex(mask.grid, np.count_nonzero(mask.voxels, axis=(2, 3)).sum(0))


def is_base_first_by_ventricles(mask: Cine) -> bool:
    """As `is_base_first`, but by the cavities alone if the geometry is not clear: for checks of the myocardium.

    Only slices with an LV cavity are used: above the base of the LV, the outflow tract of the RV is small, too.

    Args:
        mask: `Label` values (phase, slice, row, column).
    """
    rv, lv = (np.count_nonzero(mask.voxels == label, axis=(2, 3)) for label in (Label.RV_CAVITY, Label.LV_CAVITY))
    return _runs_to_apex(mask.grid, np.where(lv > 0, rv + lv, 0).sum(0))


def _runs_to_apex(grid: Grid, areas: NDArray[np.integer]) -> bool:
    """Whether slice indices increase from base to apex, by the geometry or by their areas."""
    towards_apex = _towards_apex(grid)
    return towards_apex > 0 if abs(towards_apex) > _SURE else _narrows(areas.astype(np.float64))


def _towards_apex(grid: Grid) -> float:
    """The cosine of the angle between the direction of increasing slices and the direction from base to apex."""
    return float(np.dot(grid.directions[0], _BASE_TO_APEX))


def _narrows(areas: NDArray[np.float64]) -> bool:
    filled = np.flatnonzero(areas)
    return len(filled) < 2 or bool(np.polyfit(filled, areas[filled], 1)[0] <= _LEVEL * areas.max())
