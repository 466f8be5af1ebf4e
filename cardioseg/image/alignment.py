"""Alignment: the same voxels with their axes reordered or flipped.

Programs store the voxels of one scan in different orders: dcm2niix counts rows from below, and a file in the "closest
canonical" orientation may have its slices along the first axis. Turning adds and loses no voxel.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.orientation import usual_axes
from cardioseg.image.volume import Cine, Grid

_THICK = 1.5  # times the other spacings: the least spacing of slices


def aligned(cine: Cine, grid: Grid, tolerance_mm: float) -> Cine | None:
    """The cine on `grid`; None if reordering and flipping its axes does not bring it there.

    Args:
        cine: the cine on its own grid.
        grid: the grid of the result.
        tolerance_mm: largest distance between a voxel and its place on `grid`.
    """
    turned = turned_to(cine, grid)
    return replace(turned, grid=grid) if turned.grid.matches(grid, tolerance_mm) else None


def turned_to(cine: Cine, grid: Grid) -> Cine:
    """The cine with its axes in the order and direction of the nearest axes of `grid`.

    The cine may have another size and position than `grid`. It is not changed if two of its axes are nearest to the
    same axis.
    """
    cosines = np.asarray(grid.directions) @ np.asarray(cine.grid.directions).T
    first, second, third = np.abs(cosines).argmax(1).tolist()
    order = (first, second, third)
    if len(set(order)) < 3:
        return cine
    up, down, across = (bool(cosines[axis, cine_axis] < 0) for axis, cine_axis in enumerate(order))
    flips = (up, down, across)
    return replace(cine, voxels=_laid_out(cine, order, flips), grid=cine.grid.turned(order, flips))


def in_usual_view(cine: Cine) -> Cine:
    """The cine in the usual short-axis view, however its axes are stored; its voxels are a view of the same memory."""
    order, flips = usual_axes(cine.grid)
    return replace(cine, voxels=_reordered(cine, order, flips), grid=cine.grid.turned(order, flips))


def on_grid(part: Cine, grid: Grid, tolerance_mm: float) -> Cine | None:
    """The label map on another grid, with 0 around it; None if its voxels are not voxels of the grid.

    3D Slicer may save only the box around its segments, or one that is larger than the image but empty there, and
    programs use different orders and directions of axes.
    """
    part = turned_to(part, grid)
    steps, part_steps = _steps(grid), _steps(part.grid)
    if (np.abs(steps - part_steps).max(axis=1) * part.grid.shape > tolerance_mm).any():
        return None
    offset_mm = np.subtract(part.grid.origin_mm, grid.origin_mm)
    index = np.linalg.solve(steps.T, offset_mm)
    first = np.rint(index).astype(int)
    if np.abs((index - first) @ steps).max() > tolerance_mm:
        return None
    start, stop = np.clip([first, first + part.grid.shape], 0, grid.shape)
    if (start >= stop).any():
        return None
    inside = part.voxels[:, *_box(start - first, stop - first)]
    if np.count_nonzero(inside) < np.count_nonzero(part.voxels):
        return None
    whole = np.zeros((part.phases, *grid.shape), part.voxels.dtype)
    whole[:, *_box(start, stop)] = inside
    return Cine(whole, grid)


def _box(start: NDArray[np.intp], stop: NDArray[np.intp]) -> tuple[slice, ...]:
    return tuple(slice(first, last) for first, last in zip(start.tolist(), stop.tolist(), strict=True))


def slices_first(cine: Cine) -> Cine:
    """The cine with its slices along the slice axis: see `slice_order`."""
    order = slice_order(cine.grid)
    if order == (0, 1, 2):
        return cine
    return replace(cine, voxels=_laid_out(cine, order), grid=cine.grid.turned(order))


def slice_order(grid: Grid) -> tuple[int, int, int]:
    """The order of axes that puts the slices first.

    The slice axis has by far the largest spacing and the fewest voxels; if no axis has both, the order is unchanged.
    """
    thick = int(np.argmax(grid.spacing_mm))
    in_plane = [axis for axis in range(3) if axis != thick]
    is_thick = grid.spacing_mm[thick] > _THICK * max(grid.spacing_mm[axis] for axis in in_plane)
    is_short = grid.shape[thick] < min(grid.shape[axis] for axis in in_plane)
    return (thick, in_plane[0], in_plane[1]) if is_thick and is_short else (0, 1, 2)


def as_stored(cine: Cine) -> Cine:
    """A cine on the grid of a NIfTI file, with its axes in the order of the file."""
    forms = cine.grid.forms
    if forms is None or forms.axes == (0, 1, 2):
        return cine
    first, second, third = np.argsort(forms.axes).tolist()
    order = (first, second, third)
    return replace(cine, voxels=_laid_out(cine, order), grid=cine.grid.turned(order))


def _laid_out(
    cine: Cine, order: tuple[int, int, int], flips: tuple[bool, bool, bool] = (False, False, False)
) -> np.ndarray:
    return np.ascontiguousarray(_reordered(cine, order, flips))


def _reordered(cine: Cine, order: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> np.ndarray:
    turned = cine.voxels.transpose(0, *(axis + 1 for axis in order))
    backwards = [slice(None, None, -1) if flip else slice(None) for flip in flips]
    return turned[:, *backwards]


def _steps(grid: Grid) -> NDArray[np.float64]:
    """The step from a voxel to the next, in mm: one row for each axis (slice, row, column)."""
    return np.asarray(np.asarray(grid.directions) * np.asarray(grid.spacing_mm)[:, None], np.float64)
