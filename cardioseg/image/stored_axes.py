"""Stored axes: the grid of a file that says its spacing, its origin and the directions of its axes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.volume import Grid

_FARTHEST_MM = 1e6
_PERPENDICULAR = 1.5e-3  # of the cosines between axes: two axes of 1 mm pixels, printed with three decimals


def grid_along(
    path: Path,
    size: tuple[int, int, int],
    spacing_mm: NDArray[np.float64],
    origin_mm: NDArray[np.float64],
    axes: NDArray[np.float64],
) -> Grid:
    """The grid of (columns, rows, slices).

    Args:
        path: of the file, for messages.
        size: (columns, rows, slices).
        spacing_mm: along them.
        origin_mm: LPS position of the first voxel.
        axes: their directions [3, 3], a row each: unit vectors in LPS.

    Raises:
        UnusableError: the geometry is not finite, has a spacing of 0, or its axes are not perpendicular unit vectors.
    """
    if not (np.isfinite(spacing_mm).all() and (spacing_mm > 0).all()):
        raise UnusableError(f"{path}: its spacing is not three positive numbers")
    if not (np.isfinite(axes).all() and (np.abs(origin_mm) < _FARTHEST_MM).all() and spacing_mm.max() < _FARTHEST_MM):
        raise UnusableError(f"{path}: its geometry is not finite")
    if np.abs(axes).max() > 2 or np.abs(axes @ axes.T - np.eye(3)).max() > _PERPENDICULAR:
        raise UnusableError(f"{path}: its axes are not perpendicular", "resample it to perpendicular axes")
    columns, rows, slices = size
    dx, dy, dz = spacing_mm.tolist()
    x_mm, y_mm, z_mm = (origin_mm + 0.0).tolist()
    across, down, up = ((float(a), float(b), float(c)) for a, b, c in axes + 0.0)
    return Grid((slices, rows, columns), (dz, dy, dx), (x_mm, y_mm, z_mm), (up, down, across))
