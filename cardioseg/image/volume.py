"""Volume and Cine: voxels on a grid in patient space, in millimetres. World coordinates are LPS, as in DICOM."""

from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioseg.image.flag import Flag
from cardioseg.image.nifti_forms import Forms

Voxels = NDArray[Any]
_T = TypeVar("_T")
LARGEST_VECTOR = 4  # components of a displacement or of a colour; ITK also stores phases as components
_BEAT_S = (0.24, 3.0)  # 250 and 20 beats a minute
_ROUNDING_MM, _ROUNDING, _SHARE = 0.1, 1e-3, 0.4  # of positions; relative to a grid's length; to a pixel


@dataclass(frozen=True)
class Grid:
    """Position of voxel (slice, row, column): origin_mm + slice * step_slice + row * step_row + column * step_column.

    Attributes:
        shape: (slices, rows, columns).
        spacing_mm: distance between voxel centres along (slice, row, column).
        origin_mm: LPS position of the centre of voxel (0, 0, 0).
        directions: three orthonormal LPS unit vectors, along increasing slice, row and column index.
        forms: the geometry as stored in the NIfTI file that the grid was read from; None for others.
        axes_flag: says that the axes as stored in the file are not perpendicular; None if they are.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    directions: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    forms: Forms | None = field(default=None, compare=False, repr=False)
    axes_flag: Flag | None = field(default=None, compare=False, repr=False)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(np.prod(self.spacing_mm)) / 1000

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """In-plane spacing (row, column)."""
        return self.spacing_mm[1:]

    @property
    def rounding_mm(self) -> float:
        """How far the positions of one voxel may differ between two files, if some print three decimals.

        That is a thousandth of the grid's length, but always less than half a pixel.
        """
        length_mm = max(count * mm for count, mm in zip(self.shape, self.spacing_mm, strict=True))
        return min(max(_ROUNDING_MM, _ROUNDING * length_mm), _SHARE * min(self.spacing_mm))

    def position_mm(self, index: ArrayLike) -> NDArray[np.float64]:
        """LPS positions (..., 3) of (fractional) voxel indices (..., 3), each (slice, row, column)."""
        steps = np.asarray(self.directions) * np.asarray(self.spacing_mm)[:, None]
        return np.asarray(np.asarray(index) @ steps + np.asarray(self.origin_mm), np.float64)

    def turned(self, order: tuple[int, int, int], flips: tuple[bool, bool, bool] = (False, False, False)) -> "Grid":
        """The grid of the same voxels with reordered and flipped axes.

        Args:
            order: the axes of this grid that become slice, row and column.
            flips: which of the new axes are flipped.
        """
        first = np.zeros(3)  # the voxel of this grid that becomes voxel (0, 0, 0)
        directions = []
        for axis, flip in zip(order, flips, strict=True):
            first[axis] = self.shape[axis] - 1 if flip else 0
            x, y, z = (-x + 0.0 if flip else x for x in self.directions[axis])
            directions.append((x, y, z))
        x_mm, y_mm, z_mm = self.position_mm(first).tolist()
        forms = self.forms.turned(order) if self.forms and not any(flips) else None
        shape, spacing_mm = _reordered(self.shape, order), _reordered(self.spacing_mm, order)
        return Grid(shape, spacing_mm, (x_mm, y_mm, z_mm), tuple(directions), forms, self.axes_flag)

    def matches(self, other: "Grid", tolerance_mm: float = 0.01) -> bool:
        """Whether both grids put every corner voxel within `tolerance_mm` of the same place."""
        return self.shape == other.shape and self.farthest_corner_mm(other) <= tolerance_mm

    def farthest_corner_mm(self, other: "Grid") -> float:
        """The largest distance between a corner voxel and the same one of a grid of the same shape."""
        corners = np.array(list(product(*[(0, n - 1) for n in self.shape])))
        return float(np.linalg.norm(self.position_mm(corners) - other.position_mm(corners), axis=1).max())


def _reordered(values: tuple[_T, _T, _T], order: tuple[int, int, int]) -> tuple[_T, _T, _T]:
    first, second, third = (values[axis] for axis in order)
    return first, second, third


@dataclass(frozen=True)
class Volume:
    """One phase: `voxels` (slice, row, column) on `grid`."""

    voxels: Voxels
    grid: Grid

    def __post_init__(self) -> None:
        if self.voxels.shape != self.grid.shape:
            raise ValueError(f"voxels {self.voxels.shape} do not fit the grid {self.grid.shape}")


@dataclass(frozen=True)
class Cine:
    """A beating heart: `voxels` (phase, slice, row, column), every phase on the same `grid`.

    Attributes:
        voxels: intensities or labels.
        grid: geometry of every phase.
        times_ms: time of each phase, or empty if unknown: after the R wave in DICOM (the median over slices), after the
            first phase or an unknown moment in other formats.
    """

    voxels: Voxels
    grid: Grid
    times_ms: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.voxels.ndim != 4 or self.voxels.shape[1:] != self.grid.shape:
            raise ValueError(f"voxels {self.voxels.shape} do not fit the grid {self.grid.shape}")
        if self.times_ms and len(self.times_ms) != len(self.voxels):
            raise ValueError(f"{len(self.times_ms)} times for {len(self.voxels)} phases")

    @property
    def phases(self) -> int:
        """Number of phases."""
        return len(self.voxels)

    @property
    def sample(self) -> Voxels:
        """The voxels of the first phase, or of all phases if the first is constant, for a quick look."""
        first = self.voxels[0]
        return first if first.min() < first.max() else self.voxels

    def phase(self, index: int) -> Volume:
        """The volume of one phase (0-based)."""
        return Volume(self.voxels[index], self.grid)


def times_ms(step_s: float, phases: int) -> tuple[float, ...]:
    """Times of phases that are `step_s` seconds apart; none if they would not span a plausible heart beat.

    Some converters write the repetition time as the step, others 0 or 1.
    """
    return beat_times_ms(tuple(1000 * step_s * phase for phase in range(phases))) if 0 < step_s < 1 else ()


def beat_times_ms(times_ms: tuple[float, ...]) -> tuple[float, ...]:
    """The times, if they rise and span a plausible heart beat, the step after the last phase included; else none."""
    if len(times_ms) < 2 or not all(before < after for before, after in pairwise(times_ms)):
        return ()
    beat_s = (times_ms[-1] - times_ms[0]) * len(times_ms) / (len(times_ms) - 1) / 1000
    return times_ms if _BEAT_S[0] <= beat_s <= _BEAT_S[1] else ()
