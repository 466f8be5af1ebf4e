"""Grids place voxels in space; volumes and cines fit theirs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oblique import grids

from cardioseg.image.volume import Cine, Grid, Volume

few = settings(max_examples=30, deadline=None, database=None)


def moved(grid: Grid, offset_mm: np.ndarray) -> Grid:
    return replace(grid, origin_mm=tuple(np.asarray(grid.origin_mm) + offset_mm))


@few
@given(grids(), st.integers(0, 2**32 - 1))
def test_positions_are_steps_along_the_directions(grid: Grid, seed: int) -> None:
    indices = np.random.default_rng(seed).uniform(-3, 10, (2, 5, 3))
    expected = [
        np.asarray(grid.origin_mm)
        + sum(i * mm * np.asarray(axis) for i, mm, axis in zip(index, grid.spacing_mm, grid.directions, strict=True))
        for index in indices.reshape(-1, 3)
    ]
    positions_mm = grid.position_mm(indices)
    assert positions_mm.dtype == np.float64
    np.testing.assert_allclose(positions_mm, np.reshape(expected, indices.shape), atol=1e-9)


@few
@given(grids())
def test_neighbours_are_a_spacing_apart_and_a_voxel_has_its_volume(grid: Grid) -> None:
    steps_mm = grid.position_mm(np.eye(3)) - grid.position_mm([0, 0, 0])
    np.testing.assert_allclose(np.linalg.norm(steps_mm, axis=1), grid.spacing_mm)
    assert grid.voxel_ml == pytest.approx(abs(np.linalg.det(steps_mm)) / 1000)
    assert grid.pixel_mm == grid.spacing_mm[1:]


def test_a_plain_grid_is_axis_aligned() -> None:
    grid = Grid((2, 3, 4), (8.0, 2.0, 1.0), (10.0, 20.0, 30.0))
    np.testing.assert_allclose(grid.position_mm([1, 2, 3]), (13, 24, 38))
    np.testing.assert_allclose(grid.position_mm([[0, 0, 0], [0, 0, 0.5]]), [(10, 20, 30), (10.5, 20, 30)])


@few
@given(grids(), grids(), st.integers(0, 2**32 - 1), st.floats(0.001, 5))
def test_matching_is_closeness_of_every_corner(grid: Grid, other: Grid, seed: int, tolerance_mm: float) -> None:
    offset = np.random.default_rng(seed).normal(size=3)
    offset *= tolerance_mm / np.linalg.norm(offset)
    assert grid.matches(grid, 0)
    assert grid.matches(moved(grid, 0.99 * offset), tolerance_mm)
    assert not grid.matches(moved(grid, 1.01 * offset), tolerance_mm)
    assert grid.matches(other) == other.matches(grid)


def test_what_makes_a_grid_another_one() -> None:
    grid = Grid((5, 100, 100), (8.0, 1.5, 1.5))
    assert not grid.matches(replace(grid, shape=(5, 100, 99)))
    assert not grid.matches(replace(grid, spacing_mm=(8.0, 1.5, 1.501)))  # 0.1 mm at the far corner
    assert grid.matches(replace(grid, spacing_mm=(8.0, 1.5, 1.50005)))
    assert not grid.matches(replace(grid, directions=grid.directions[::-1]))
    assert not grid.matches(replace(grid, origin_mm=(float("nan"), 0.0, 0.0)))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 5), (3, 2, 4), (1, 2, 3, 4), ()])
def test_a_volume_fits_its_grid(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not fit the grid"):
        Volume(np.zeros(shape), Grid((2, 3, 4), (1.0, 1.0, 1.0)))


@pytest.mark.parametrize("shape", [(2, 3, 4), (5, 2, 3, 5), (1, 5, 2, 3, 4)])
def test_a_cine_fits_its_grid(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not fit the grid"):
        Cine(np.zeros(shape), Grid((2, 3, 4), (1.0, 1.0, 1.0)))


def test_a_cine_has_a_time_for_every_phase_or_none() -> None:
    grid, voxels = Grid((2, 3, 4), (1.0, 1.0, 1.0)), np.arange(120).reshape(5, 2, 3, 4)
    with pytest.raises(ValueError, match="4 times for 5 phases"):
        Cine(voxels, grid, (0.0, 1.0, 2.0, 3.0))
    assert Cine(voxels, grid).times_ms == ()
    cine = Cine(voxels, grid, (0.0, 1.0, 2.0, 3.0, 4.0))
    assert cine.phases == 5
    assert cine.phase(3).grid is grid
    np.testing.assert_array_equal(cine.phase(3).voxels, voxels[3])
    with pytest.raises(IndexError):
        cine.phase(5)


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "expected"),
    [
        ((10, 256, 256), (8.0, 1.37, 1.37), 0.351),
        ((4, 6, 5), (8.0, 1.5, 1.25), 0.1),
        ((9, 512, 512), (8.0, 0.7, 0.7), 0.28),
    ],
)
def test_rounding_is_a_thousandth_of_the_length_and_less_than_half_a_pixel(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], expected: float
) -> None:
    assert Grid(shape, spacing_mm).rounding_mm == pytest.approx(expected, abs=1e-3)
