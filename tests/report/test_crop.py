"""What a picture shows of a scan: all of the mask, in true proportions, base first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardioseg.image.volume import Cine, Grid
from cardioseg.report.crop import Crop, crop_around, shown_slices

TO_APEX = (0.68, -0.62, -0.39)  # a common short-axis normal, LPS
ROW, COLUMN = (0.0, 0.53, -0.85), (0.73, 0.58, 0.36)


def mask(slices: int = 6, filled: int = 1, grid: Grid | None = None) -> Cine:
    voxels = np.zeros((1, slices, 90, 70), np.uint8)
    voxels[:, slices // 2 : slices // 2 + filled, 40:50, 20:40] = 3
    return Cine(voxels, grid or Grid((slices, 90, 70), (8.0, 1.5, 1.5)))


def test_the_crop_holds_the_mask_and_a_margin() -> None:
    crop = crop_around(mask())
    assert crop == Crop(30, 60, 10, 50)
    assert crop.of(mask().voxels).shape == (1, 6, 30, 40)


def test_the_crop_ends_at_the_image() -> None:
    voxels = np.ones((1, 1, 20, 30), np.uint8)
    assert crop_around(Cine(voxels, Grid((1, 20, 30), (8.0, 1.0, 1.0)))) == Crop(0, 20, 0, 30)


def test_an_empty_mask_shows_the_whole_image() -> None:
    empty = Cine(np.zeros((1, 2, 20, 30), np.uint8), Grid((2, 20, 30), (8.0, 1.0, 1.0)))
    assert crop_around(empty) == Crop(0, 20, 0, 30)


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0.5, 3), st.floats(0.5, 3))
def test_a_picture_keeps_its_proportions(rows: int, columns: int, row_mm: float, column_mm: float) -> None:
    height, width = Crop(0, rows, 0, columns).fitted((row_mm, column_mm), side_px=200, area_px=20_000)
    assert max(height, width) <= 200
    assert (height - 1) * (width - 1) <= 20_000
    true = rows * row_mm / (columns * column_mm)
    assert (height - 0.5) / (width + 0.5) - 0.01 <= true or height == 1
    assert (height + 0.5) / max(width - 0.5, 0.5) + 0.01 >= true or width == 1


@given(st.integers(1, 24))
def test_a_stack_that_fits_is_shown_whole(slices: int) -> None:
    assert shown_slices(mask(slices)) == tuple(range(slices))


def test_a_long_stack_is_cut_to_the_heart_and_what_is_beside_it() -> None:
    assert shown_slices(mask(60, filled=10)) == tuple(range(28, 42))


def test_a_long_heart_is_thinned_to_both_ends() -> None:
    shown = shown_slices(Cine(np.ones((1, 90, 4, 4), np.uint8), Grid((90, 4, 4), (1.0, 1.0, 1.0))))
    assert (shown[0], shown[-1], len(shown)) == (0, 89, 24)


@pytest.mark.parametrize(("sign", "expected"), [(1, (0, 1, 2)), (-1, (2, 1, 0))])
def test_the_base_comes_first_whichever_way_the_slices_run(sign: int, expected: tuple[int, ...]) -> None:
    normal = tuple(sign * component for component in TO_APEX)
    grid = Grid((3, 90, 70), (8.0, 1.5, 1.5), directions=(normal, ROW, COLUMN))  # type: ignore[arg-type]
    assert shown_slices(mask(3, grid=grid)) == expected


def test_a_grid_without_an_orientation_keeps_its_order() -> None:
    assert shown_slices(mask(3)) == (0, 1, 2)
