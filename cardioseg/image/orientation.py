"""Orientation: which end of a short-axis stack is the base."""

import numpy as np

from cardioseg.image.volume import Cine, Grid

_BASE_TO_APEX = np.array([1.0, -1.0, -1.0]) / np.sqrt(3)  # LPS: to the left, the front and the feet
_SURE = 0.75  # cosine; a grid without a real orientation has 0.58
_LEVEL = 1e-9  # a slope that is rounding alone


def is_base_first(mask: Cine) -> bool:
    """Whether slice 0 is the basal end: by the geometry where it says so, else the heart narrows from base to apex.

    Args:
        mask: `Label` values (phase, slice, row, column).
    """
    towards_apex = _towards_apex(mask.grid)
    return towards_apex > 0 if abs(towards_apex) > _SURE else _narrows(mask)


def _towards_apex(grid: Grid) -> float:
    """The cosine of the angle between the way that slices are counted and that from base to apex."""
    return float(np.dot(grid.directions[0], _BASE_TO_APEX))


def _narrows(mask: Cine) -> bool:
    areas = np.count_nonzero(mask.voxels, axis=(2, 3)).sum(0).astype(np.float64)
    filled = np.flatnonzero(areas)
    return len(filled) < 2 or bool(np.polyfit(filled, areas[filled], 1)[0] <= _LEVEL * areas.max())
