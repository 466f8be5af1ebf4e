"""Grid difference: in words, how two grids of one shape differ: spacing, orientation or position, and by how much."""

import numpy as np

from cardioseg.image.volume import Grid

_SPACING = 0.001  # relative
_DEGREES = 0.1


def grid_difference(grid: Grid, expected: Grid) -> str:
    """How a grid differs from the expected one, such as `its first voxel lies 15.00 mm away`.

    Args:
        grid: the grid.
        expected: a grid of the same shape.
    """
    differences: list[str] = []
    if not np.allclose(grid.spacing_mm, expected.spacing_mm, rtol=_SPACING, atol=0):
        own, other = (" x ".join(f"{mm:.2f}" for mm in spacing) for spacing in (grid.spacing_mm, expected.spacing_mm))
        differences.append(f"its spacing (slices, rows, columns) is {own} mm, not {other} mm")
    degrees = _turned_degrees(grid, expected)
    if degrees > _DEGREES:
        differences.append(f"its axes are turned by up to {degrees:.1f} degrees")
    away_mm = float(np.linalg.norm(np.subtract(grid.origin_mm, expected.origin_mm)))
    if away_mm > expected.rounding_mm or not differences:
        differences.append(f"its first voxel lies {away_mm:.2f} mm away")
    return ", ".join(differences)


def _turned_degrees(grid: Grid, expected: Grid) -> float:
    """The largest angle between an axis of one grid and the same axis of the other."""
    cosines = (np.asarray(grid.directions) * np.asarray(expected.directions)).sum(axis=1)
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).max())
