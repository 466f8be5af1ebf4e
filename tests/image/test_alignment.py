"""The same voxels laid out in another way are the same voxels."""

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from affines import of_matrix, ras, write
from hypothesis import given, settings
from hypothesis import strategies as st
from oblique import grids

from cardioseg.image.alignment import aligned, as_stored, slices_first
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.nifti_header import read_header
from cardioseg.image.volume import Cine, Grid

some = settings(max_examples=60, deadline=None, database=None)
LAYOUTS = list(product(permutations(range(3)), product([False, True], repeat=3)))


def numbered(grid: Grid) -> Cine:
    """Every voxel with a number of its own."""
    return Cine(np.arange(2 * np.prod(grid.shape)).reshape(2, *grid.shape), grid)


@some
@given(grids(), st.sampled_from(LAYOUTS), st.integers(0, 2**32 - 1))
def test_turned_grids_hold_the_same_voxels(grid: Grid, layout: tuple[tuple, tuple], seed: int) -> None:
    turned = grid.turned(*layout)
    index = np.random.default_rng(seed).integers(0, grid.shape, 3)
    own = [n - 1 - i if flip else i for i, n, flip in zip(index[list(layout[0])], turned.shape, layout[1], strict=True)]
    np.testing.assert_allclose(turned.position_mm(own), grid.position_mm(index), atol=1e-9)


@some
@given(grids(), st.sampled_from(LAYOUTS))
def test_every_layout_is_brought_back_to_the_voxel(grid: Grid, layout: tuple[tuple, tuple]) -> None:
    cine, turned = numbered(grid), grid.turned(*layout)
    other = aligned(cine, turned, 0.01)
    assert other
    assert other.grid == turned
    back = aligned(other, grid, 0.01)
    assert back
    np.testing.assert_array_equal(back.voxels, cine.voxels)
    assert back.grid is grid


@some
@given(grids(), st.floats(0.02, 5))
def test_what_lies_elsewhere_is_not_aligned(grid: Grid, apart_mm: float) -> None:
    x, y, z = grid.origin_mm
    assert aligned(numbered(replace(grid, origin_mm=(x + apart_mm, y, z))), grid, 0.01) is None
    turned = replace(grid, directions=tuple(np.roll(axis, 1) for axis in grid.directions))
    assert aligned(numbered(grid), replace(turned, shape=(9, 9, 9)), 0.01) is None


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_slices_are_put_first_and_written_back_in_place(tmp_path: Path, order: tuple[int, int, int]) -> None:
    """As a file that was brought closest to canonical has them."""
    grid = Grid((4, 30, 40), (8.0, 1.5, 1.25), (1.0, 2.0, 3.0)).turned(order)
    path = write(tmp_path / "a.nii", numbered(grid).voxels, of_matrix(ras(grid)))
    cine = read_cine(path)
    assert cine.grid.shape[0] == 4
    assert cine.grid.spacing_mm[0] == 8.0
    write_cine(tmp_path / "b.nii.gz", cine)
    assert read_header(tmp_path / "b.nii.gz").forms == read_header(path).forms
    assert read_header(tmp_path / "b.nii.gz").size == read_header(path).size
    assert (as_stored(cine).voxels == numbered(grid).voxels).all()


@pytest.mark.parametrize(
    "grid",
    [
        Grid((10, 30, 40), (8.0, 1.5, 1.25)),
        Grid((160, 160, 8), (1.37, 1.37, 10.0)).turned((2, 1, 0)),
        Grid((30, 40, 50), (1.0, 1.0, 1.4)),  # nearly alike: nothing says that these are slices
        Grid((30, 40, 50), (1.4, 1.4, 10.0)),  # a spacing in another order than its axes
    ],
)
def test_what_is_in_order_stays(grid: Grid) -> None:
    cine = numbered(grid)
    assert slices_first(cine) is cine
