"""Orientation: which end of a short-axis stack is basal, and how far its axes are from those of the usual view."""

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.volume import Cine, Grid

Direction = tuple[float, float, float]
Directions = tuple[Direction, Direction, Direction]

_BASE_TO_APEX = np.array([1.0, -1.0, -1.0]) / np.sqrt(3)  # LPS: to the left, the front and the feet
_ROWS = np.array([0.0, 1.0, -1.0]) / np.sqrt(2)  # to the back and the feet
_COLUMNS = np.cross(_BASE_TO_APEX, _ROWS)  # to the left
_SURE = 0.62  # cosine; short-axis stacks have 0.64 and more, a grid without a real orientation has 0.58
_ALONG = 0.9998  # cosine: within 1 degree of an axis of the body
_LEVEL = 1e-9  # a slope from rounding only


def is_base_first(mask: Cine) -> bool:
    """Whether slice 0 is the basal end: by the geometry if it is clear, else because the heart narrows to the apex.

    Args:
        mask: `Label` values (phase, slice, row, column).
    """
    by_geometry = says_base_first(mask.grid)
    return _narrows(np.count_nonzero(mask.voxels, axis=(0, 2, 3))) if by_geometry is None else by_geometry


def says_base_first(grid: Grid) -> bool | None:
    """Whether slice 0 is the basal end as far as the geometry says it; None where it does not."""
    towards_apex = _towards_apex(grid)
    return towards_apex > 0 if abs(towards_apex) > _SURE else None


def is_placed(grid: Grid) -> bool:
    """Whether the geometry says how the stack lies in the patient: no short-axis stack lies along the body's axes."""
    return min(max(map(abs, direction)) for direction in grid.directions) < _ALONG


def axes(base_first: bool) -> Directions:
    """Directions of slice, row and column of a stack in the usual view, of which only the basal end is known."""
    slices = _BASE_TO_APEX if base_first else -_BASE_TO_APEX
    first, second, third = ((x, y, z) for x, y, z in np.stack([slices, _ROWS, _COLUMNS]).tolist())
    return first, second, third


def usual_axes(grid: Grid) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """The order and the flips of the axes that bring a stack nearest to the usual short-axis view.

    In this view, slices go from apex to base, columns to the left of the patient and rows to the back and the feet:
    ACDC, M&Ms and most of Sunnybrook are stored like this.
    """
    cosines = np.asarray(axes(base_first=False)) @ np.asarray(grid.directions).T
    nearness = np.abs(cosines)
    is_turned = nearness[1, 2] + nearness[2, 1] > nearness[1, 1] + nearness[2, 2]
    order = (0, 2, 1) if is_turned else (0, 1, 2)
    up, down, across = (bool(cosines[axis, stored] < 0) for axis, stored in enumerate(order))
    return order, (up, down, across)


def _towards_apex(grid: Grid) -> float:
    """The cosine of the angle between the direction of increasing slices and the direction from base to apex."""
    return float(np.dot(grid.directions[0], _BASE_TO_APEX))


def _narrows(areas: NDArray[np.integer]) -> bool:
    """Whether the areas of the slices become smaller along the stack.

    A slice counts by the square of its area: slices above the base are small, too, if the outflow tract or a part of
    the base is drawn.
    """
    filled = np.flatnonzero(areas)
    slope = np.polyfit(filled, areas[filled], 1, w=areas[filled])[0] if len(filled) > 1 else 0.0
    return bool(slope <= _LEVEL * areas.max(initial=1))
