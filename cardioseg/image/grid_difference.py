"""Grid difference: in words, how two grids of one shape differ: spacing, orientation or position, and by how much."""

from collections.abc import Sequence

import numpy as np

from cardioseg.image.volume import Grid

_SPACING = 0.001  # relative
_DEGREES = 0.1
_MOST_DIGITS = 6


def grid_difference(grid: Grid, expected: Grid) -> str:
    """How a grid differs from the expected one, such as `its first voxel lies 15.00 mm away`.

    Args:
        grid: the grid.
        expected: a grid of the same shape.
    """
    differences: list[str] = []
    if not np.allclose(grid.spacing_mm, expected.spacing_mm, rtol=_SPACING, atol=0):
        own, other = _in_words(grid.spacing_mm, expected.spacing_mm)
        differences.append(f"its spacing (slices, rows, columns) is {own} mm, not {other} mm")
    degrees = _turned_degrees(grid, expected)
    if degrees > _DEGREES:
        differences.append(f"its axes are turned by up to {degrees:.1f} degrees")
    away_mm = float(np.linalg.norm(np.subtract(grid.origin_mm, expected.origin_mm)))
    if away_mm > expected.rounding_mm:
        differences.append(f"its first voxel lies {away_mm:.2f} mm away")
    if not differences:  # many small steps or a small turn add up
        differences.append(f"a corner of it lies {grid.farthest_corner_mm(expected):.2g} mm away")
    return ", ".join(differences)


def _in_words(spacing_mm: Sequence[float], expected_mm: Sequence[float]) -> tuple[str, str]:
    """Both spacings, with two digits or as many as it takes to see each difference."""
    pairs = [
        (mm, other)
        for mm, other in zip(spacing_mm, expected_mm, strict=True)
        if not np.isclose(mm, other, rtol=_SPACING, atol=0)
    ]
    digits = next(
        (n for n in range(2, _MOST_DIGITS) if all(f"{mm:.{n}f}" != f"{other:.{n}f}" for mm, other in pairs)),
        _MOST_DIGITS,
    )
    own, other = (" x ".join(f"{mm:.{digits}f}" for mm in spacing) for spacing in (spacing_mm, expected_mm))
    return own, other


def _turned_degrees(grid: Grid, expected: Grid) -> float:
    """The largest angle between an axis of one grid and the same axis of the other."""
    cosines = (np.asarray(grid.directions) * np.asarray(expected.directions)).sum(axis=1)
    return float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).max())
