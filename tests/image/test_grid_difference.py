"""How two grids of one shape differ is said in words and numbers."""

from dataclasses import replace

import numpy as np
import pytest

from cardioseg.image.grid_difference import grid_difference
from cardioseg.image.volume import Grid

GRID = Grid((3, 6, 5), (8.0, 1.5, 1.25), (-10.0, 20.0, 30.0))
TURN = np.deg2rad(30)
AXES = ((0.0, 0.0, 1.0), (-np.sin(TURN), np.cos(TURN), 0.0), (np.cos(TURN), np.sin(TURN), 0.0))


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        (replace(GRID, origin_mm=(5.0, 20.0, 30.0)), "its first voxel lies 15.00 mm away"),
        (
            replace(GRID, spacing_mm=(6.4, 1.5, 1.25)),
            "its spacing (slices, rows, columns) is 6.40 x 1.50 x 1.25 mm, not 8.00 x 1.50 x 1.25 mm",
        ),
        (
            replace(GRID, spacing_mm=(8.0, 1.504, 1.25)),
            "its spacing (slices, rows, columns) is 8.000 x 1.504 x 1.250 mm, not 8.000 x 1.500 x 1.250 mm",
        ),
        (
            replace(GRID, spacing_mm=(8.000001, 1.496, 1.25)),
            "its spacing (slices, rows, columns) is 8.000 x 1.496 x 1.250 mm, not 8.000 x 1.500 x 1.250 mm",
        ),
        (replace(GRID, spacing_mm=(8.0, 1.501, 1.25)), "a corner of it lies 0.005 mm away"),
        (replace(GRID, directions=AXES), "its axes are turned by up to 30.0 degrees"),
        (
            replace(GRID, directions=AXES, origin_mm=(-10.0, 20.0, 34.0)),
            "its axes are turned by up to 30.0 degrees, its first voxel lies 4.00 mm away",
        ),
    ],
)
def test_the_difference_is_named(grid: Grid, said: str) -> None:
    assert grid_difference(grid, GRID) == said
