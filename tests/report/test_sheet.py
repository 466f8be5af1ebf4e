"""The layout of a contact sheet: nothing lost, nothing overlapping, true proportions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardioseg.image.volume import Cine, Grid
from cardioseg.report.sheet import Crop, crop_around, lay_out

TO_APEX = (0.68, -0.62, -0.39)  # a common short-axis normal, LPS
ROW, COLUMN = (0.0, 0.53, -0.85), (0.73, 0.58, 0.36)


def mask(slices: int = 6, phases: int = 2, *, rows: int = 90, columns: int = 70, grid: Grid | None = None) -> Cine:
    voxels = np.zeros((phases, slices, rows, columns), np.uint8)
    voxels[0, slices // 2, 40:50, 20:40] = 3
    return Cine(voxels, grid or Grid((slices, rows, columns), (8.0, 1.5, 1.5)))


@given(st.integers(1, 60), st.integers(1, 2))
def test_tiles_stay_on_the_sheet_and_apart(slices: int, phases: int) -> None:
    sheet = lay_out(mask(slices, phases), range(phases))
    covered = np.zeros(sheet.size, np.uint8)
    for slice_rank, phase_rank in np.ndindex(len(sheet.slices), phases):
        y, x = sheet.corner(slice_rank, phase_rank)
        assert y + sheet.tile[0] <= sheet.size[0]
        assert x + sheet.tile[1] <= sheet.size[1]
        covered[y : y + sheet.tile[0], x : x + sheet.tile[1]] += 1
    assert covered.max() == 1
    assert covered.sum() == len(sheet.slices) * phases * np.prod(sheet.tile)


@given(st.integers(1, 60))
def test_few_slices_are_all_shown_and_many_are_thinned_to_both_ends(slices: int) -> None:
    shown = lay_out(mask(slices), [0, 1]).slices
    assert shown == tuple(range(slices)) if slices <= 24 else (shown[0], shown[-1], len(shown)) == (0, slices - 1, 24)


def test_the_crop_holds_the_mask_and_a_margin() -> None:
    assert crop_around(mask()) == Crop(30, 60, 10, 50)


def test_the_crop_ends_at_the_image() -> None:
    voxels = np.ones((1, 1, 20, 30), np.uint8)
    assert crop_around(Cine(voxels, Grid((1, 20, 30), (8.0, 1.0, 1.0)))) == Crop(0, 20, 0, 30)


def test_an_empty_mask_shows_the_whole_image() -> None:
    empty = Cine(np.zeros((1, 2, 20, 30), np.uint8), Grid((2, 20, 30), (8.0, 1.0, 1.0)))
    assert crop_around(empty) == Crop(0, 20, 0, 30)


def test_pixels_that_are_not_square_keep_their_proportions() -> None:
    grid = Grid((2, 40, 40), (8.0, 2.0, 1.0))
    height, width = lay_out(Cine(np.ones((1, 2, 40, 40), np.uint8), grid), [0]).tile
    assert height / width == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize(("sign", "expected"), [(1, (0, 1, 2)), (-1, (2, 1, 0))])
def test_the_base_comes_first_whichever_way_the_slices_run(sign: int, expected: tuple[int, ...]) -> None:
    normal = tuple(sign * component for component in TO_APEX)
    grid = Grid((3, 90, 70), (8.0, 1.5, 1.5), directions=(normal, ROW, COLUMN))  # type: ignore[arg-type]
    assert lay_out(mask(3, grid=grid), [0]).slices == expected


def test_a_grid_without_an_orientation_keeps_its_order() -> None:
    assert lay_out(mask(3), [0]).slices == (0, 1, 2)


@given(st.integers(1, 60), st.integers(1, 2))
def test_the_sheet_stays_small(slices: int, phases: int) -> None:
    assert np.prod(lay_out(mask(slices, phases), range(phases)).size) < 2_200_000
