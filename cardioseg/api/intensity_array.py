"""Intensity array: what a caller gives to be segmented, as a cine, or why it is none."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioseg.errors import UnusableError, UsageError
from cardioseg.image.map_detection import holds_few_values
from cardioseg.image.orientation import axes
from cardioseg.image.volume import Cine, Grid, Voxels

_AXES = "the axes are (phase, slice, row, column) or (slice, row, column)"
_NIBABEL = f"{_AXES}; nibabel's are the other way round: give array.T"
_TENSOR = "of a tensor, give tensor.detach().cpu().numpy()"
_SPACING = "give three lengths in mm, of (slice, row, column)"
_FIELD_MM = 30.0  # the least that a slice shows: a newborn's heart
_STACK_MM = 400.0  # the most that slices span: a chest


def cine_of(array: ArrayLike, spacing_mm: tuple[float, float, float], base_first: bool | None) -> Cine:
    """Intensities as a cine, on a grid of which only the spacing and, if it is said, the basal end are known.

    Raises:
        UsageError: the shape, the type or the spacing is none that a stack of slices can have.
        UnusableError: it holds labels.
    """
    voxels, spacing = _voxels(array), _spacing(spacing_mm)
    _require_room(voxels.shape, spacing)
    if holds_few_values(voxels[0]):
        raise UnusableError("the array holds a few different values, where a scan holds hundreds", "give the scan")
    shape = voxels.shape[1], voxels.shape[2], voxels.shape[3]
    grid = Grid(shape, spacing) if base_first is None else Grid(shape, spacing, directions=axes(base_first))
    return Cine(voxels, grid)


def _voxels(array: ArrayLike) -> Voxels:
    try:
        voxels: NDArray[np.generic] = np.asarray(array)
    except (TypeError, ValueError, RuntimeError):  # rows of different lengths; a tensor on a GPU, or with a gradient
        raise UsageError("what is given is no array of numbers", f"{_AXES}; {_TENSOR}") from None
    if np.ma.is_masked(array):
        raise UsageError("some values of the array are masked", "say what stands there: array.filled(0)")
    if voxels.dtype.kind not in "iuf":
        raise UsageError(f"the array is of {voxels.dtype}", "give intensities, as whole or floating-point numbers")
    if voxels.ndim not in (3, 4):
        raise UsageError(f"the array has the shape {voxels.shape}", _AXES)
    if not voxels.size:
        raise UsageError(f"the array has the shape {voxels.shape}: there is nothing in it", _AXES)
    return voxels if voxels.ndim == 4 else voxels[None]


def _spacing(spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    try:
        slices, rows, columns = (float(mm) for mm in spacing_mm)
    except (TypeError, ValueError):
        raise UsageError(f"spacing_mm is {spacing_mm!r}", _SPACING) from None
    if not all(np.isfinite(mm) and mm > 0 for mm in (slices, rows, columns)):
        raise UsageError(f"spacing_mm is {spacing_mm!r}", _SPACING)
    return slices, rows, columns


def _require_room(shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> None:
    """Axes in another order make slices that are too small for a heart."""
    rows_mm, columns_mm = shape[-2] * spacing_mm[1], shape[-1] * spacing_mm[2]
    if min(rows_mm, columns_mm) < _FIELD_MM:
        pixels = f"{shape[-2]} x {shape[-1]} pixels, {rows_mm:.3g} x {columns_mm:.3g} mm"
        raise UsageError(f"a slice of the array is {pixels}: no heart fits into it", _NIBABEL)
    stack_mm = shape[-3] * spacing_mm[0]
    if stack_mm > _STACK_MM:
        slices = f"{shape[-3]} slices of {spacing_mm[0]:.3g} mm span {stack_mm:.4g} mm"
        raise UsageError(f"the array's {slices}: no heart is so long", _NIBABEL)
