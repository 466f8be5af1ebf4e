"""Which end is the base: geometry where it speaks, the heart's shape where it does not."""

import numpy as np
import pytest

from cardioseg.image.orientation import is_base_first
from cardioseg.image.volume import Cine, Grid

TO_APEX = (0.68, -0.62, -0.39)  # a common short-axis normal, LPS
ROW, COLUMN = (0.0, 0.53, -0.85), (0.73, 0.58, 0.36)


def heart(*widths: int, normal: tuple[float, ...] = (0.0, 0.0, 1.0)) -> Cine:
    voxels = np.zeros((1, len(widths), 20, 20), np.uint8)
    for index, width in enumerate(widths):
        voxels[0, index, :width, :width] = 3
    return Cine(voxels, Grid(voxels.shape[1:], (8.0, 1.5, 1.5), directions=(normal, ROW, COLUMN)))  # type: ignore[arg-type]


@pytest.mark.parametrize("widths", [(9, 6, 3), (3, 6, 9), (0, 0, 0)])
def test_the_geometry_decides_where_it_is_sure(widths: tuple[int, ...]) -> None:
    assert is_base_first(heart(*widths, normal=TO_APEX))
    assert not is_base_first(heart(*widths, normal=tuple(-component for component in TO_APEX)))


@pytest.mark.parametrize(("widths", "expected"), [((9, 6, 3, 0), True), ((0, 3, 6, 9), False), ((0, 5, 0), True)])
def test_without_an_orientation_the_narrowing_heart_decides(widths: tuple[int, ...], expected: bool) -> None:
    assert is_base_first(heart(*widths)) is expected
