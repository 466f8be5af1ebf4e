"""Alignment: the same voxels with their axes in another order or counted from the other end.

Programs differ in how they lay the voxels of one scan out: dcm2niix counts rows from below, a file that was brought
"closest to canonical" may have its slices along the first axis. No voxel is lost or made up by turning them.
"""

from dataclasses import replace

import numpy as np

from cardioseg.image.volume import Cine, Grid

_THICK = 1.5  # times the other spacings: that of slices


def aligned(cine: Cine, grid: Grid, tolerance_mm: float) -> Cine | None:
    """The cine laid out as `grid`; None where that would need more than another order and flips of its axes.

    Args:
        cine: on a grid of its own.
        grid: where the voxels are to be.
        tolerance_mm: how far a voxel may lie from its place.
    """
    turned = turned_to(cine, grid)
    return replace(turned, grid=grid) if turned.grid.matches(grid, tolerance_mm) else None


def turned_to(cine: Cine, grid: Grid) -> Cine:
    """The cine with each axis along, and in the direction of, the axis of `grid` that it is nearest to.

    The cine may have another size and place than `grid`. It stays as it is where two of its axes are nearest to one.
    """
    cosines = np.asarray(grid.directions) @ np.asarray(cine.grid.directions).T
    first, second, third = np.abs(cosines).argmax(1).tolist()
    order = (first, second, third)
    if len(set(order)) < 3:
        return cine
    up, down, across = (bool(cosines[axis, own] < 0) for axis, own in enumerate(order))
    flips = (up, down, across)
    return replace(cine, voxels=_laid_out(cine, order, flips), grid=cine.grid.turned(order, flips))


def slices_first(cine: Cine) -> Cine:
    """The cine with its slices along the slice axis: see `slice_order`."""
    order = slice_order(cine.grid)
    if order == (0, 1, 2):
        return cine
    return replace(cine, voxels=_laid_out(cine, order), grid=cine.grid.turned(order))


def slice_order(grid: Grid) -> tuple[int, int, int]:
    """The order of axes that puts the slices first.

    Slices are where voxels are by far the longest and the fewest; where no axis is both, nothing changes.
    """
    thick = int(np.argmax(grid.spacing_mm))
    others = [axis for axis in range(3) if axis != thick]
    is_thick = grid.spacing_mm[thick] > _THICK * max(grid.spacing_mm[axis] for axis in others)
    is_short = grid.shape[thick] < min(grid.shape[axis] for axis in others)
    return (thick, others[0], others[1]) if is_thick and is_short else (0, 1, 2)


def as_stored(cine: Cine) -> Cine:
    """A cine on the grid of a NIfTI file with its axes as they are in the file."""
    forms = cine.grid.forms
    if forms is None or forms.axes == (0, 1, 2):
        return cine
    first, second, third = np.argsort(forms.axes).tolist()
    order = (first, second, third)
    return replace(cine, voxels=_laid_out(cine, order), grid=cine.grid.turned(order))


def _laid_out(
    cine: Cine, order: tuple[int, int, int], flips: tuple[bool, bool, bool] = (False, False, False)
) -> np.ndarray:
    turned = cine.voxels.transpose(0, *(axis + 1 for axis in order))
    backwards = [slice(None, None, -1) if flip else slice(None) for flip in flips]
    return np.ascontiguousarray(turned[:, *backwards])
