"""Orientation: which end of a short-axis stack is the base."""

from collections.abc import Collection

import numpy as np

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine, Grid

_BASE_TO_APEX = np.array([1.0, -1.0, -1.0]) / np.sqrt(3)  # LPS: to the left, the front and the feet
_SURE = 0.75  # cosine; a grid without a real orientation has 0.58
_LEVEL = 1e-9  # a slope that is rounding alone


CAVITIES = (Label.RV_CAVITY, Label.LV_CAVITY)


def is_base_first(mask: Cine, narrowing: Collection[Label] = STRUCTURES) -> bool:
    """Whether slice 0 is the basal end: by the geometry where it says so, else the heart narrows from base to apex.

    Args:
        mask: `Label` values (phase, slice, row, column).
        narrowing: the structures whose areas decide, where the geometry does not.
    """
    towards_apex = _towards_apex(mask.grid)
    return towards_apex > 0 if abs(towards_apex) > _SURE else _narrows(mask, narrowing)


def _towards_apex(grid: Grid) -> float:
    """The cosine of the angle between the way that slices are counted and that from base to apex."""
    return float(np.dot(grid.directions[0], _BASE_TO_APEX))


def _narrows(mask: Cine, structures: Collection[Label]) -> bool:
    counts = [np.count_nonzero(mask.voxels == label, axis=(2, 3)).sum(0) for label in structures]
    areas = np.sum(counts, axis=0).astype(np.float64)
    filled = np.flatnonzero(areas)
    return len(filled) < 2 or bool(np.polyfit(filled, areas[filled], 1)[0] <= _LEVEL * areas.max())
