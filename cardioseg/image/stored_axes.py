"""Stored axes: the grid of a file that says its spacing, its origin and the directions of its axes.

NIfTI, MetaImage and NRRD files can store axes that are not perpendicular; those of a `Grid` are. ITK refuses axes that
are off by more than 1e-4. Here they are replaced by the nearest rotation (the orthogonal factor of the polar
decomposition), about the middle voxel: silently if they are off by no more than the rounding of an affine printed with
three decimals, with a flag up to one degree. Axes that are further off are refused.
"""

from itertools import combinations
from math import acos, degrees
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.flag import Flag
from cardioseg.image.nifti_forms import Forms
from cardioseg.image.volume import Grid

Matrix = NDArray[np.float64]

FARTHEST_MM = 1e6
_PERPENDICULAR = 1e-4  # of the cosines between axes; ITK's limit
_PRINTED = 1.5e-3  # of the cosines between axes and of their lengths: axes of 1 mm pixels, printed with three decimals
_TILT_DEGREES = 1.0  # a grid of right angles is then off by at most 1 mm in 60
_AXES = ("columns", "rows", "slices")


def grid_along(
    path: Path,
    size: tuple[int, ...],
    spacing_mm: Matrix,
    origin_mm: Matrix,
    axes: Matrix,
    *,
    forms: Forms | None = None,
) -> Grid:
    """The grid of (columns, rows, slices), with perpendicular axes and a flag if the stored axes are not.

    Args:
        path: of the file, for messages.
        size: (columns, rows, slices), perhaps more.
        spacing_mm: along them.
        origin_mm: LPS position of the first voxel.
        axes: their directions [3, 3], a row each: unit vectors in LPS.
        forms: of a NIfTI file, which the grid keeps.

    Raises:
        UnusableError: the geometry is not finite, has a spacing of 0, or its axes are not unit vectors or are more than
            a degree from perpendicular.
    """
    if not (np.isfinite(spacing_mm).all() and (spacing_mm > 0).all()):
        raise UnusableError(f"{path}: its spacing is not three positive numbers")
    if not (np.isfinite(axes).all() and (np.abs(origin_mm) < FARTHEST_MM).all() and spacing_mm.max() < FARTHEST_MM):
        raise UnusableError(f"{path}: its geometry is not finite")
    if np.abs(axes).max() > 2 or np.abs(np.linalg.norm(axes, axis=1) - 1).max() > _PRINTED:
        raise UnusableError(f"{path}: its axes are not unit vectors", "save it with axes of length 1")
    flag = None
    if not are_perpendicular(axes):
        flag = _tilt_flag(path, axes)
        turned = _nearest_rotation(axes)
        middle = (np.array(size[:3]) - 1) / 2
        origin_mm = origin_mm + (middle * spacing_mm) @ (axes - turned)
        axes = turned
    (columns, rows, slices), (dx, dy, dz) = size[:3], spacing_mm.tolist()
    x_mm, y_mm, z_mm = (origin_mm + 0.0).tolist()  # no minus zero
    across, down, up = ((float(a), float(b), float(c)) for a, b, c in axes + 0.0)
    return Grid((slices, rows, columns), (dz, dy, dx), (x_mm, y_mm, z_mm), (up, down, across), forms, flag)


def are_perpendicular(axes: Matrix) -> bool:
    """Whether unit axes [3, 3], a row each, are perpendicular by ITK's rule.

    ITK's limit holds for the largest element of |A Aᵀ - 1|, where the columns of A are the axes.
    """
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() <= _PERPENDICULAR)


def _tilt_flag(path: Path, axes: Matrix) -> Flag | None:
    """The flag of axes that are off by more than rounding.

    Raises:
        UnusableError: they are off by more than the limit.
    """
    tilt, axis_names = _tilt(axes / np.linalg.norm(axes, axis=1)[:, None])
    if tilt > _TILT_DEGREES:
        raise UnusableError(
            f"{path}: its axes are not perpendicular: its {axis_names} are {tilt:.1f} degrees off a right angle "
            f"(limit {_TILT_DEGREES:g})",
            "resample it to a grid with perpendicular axes, or give the DICOM files",
        )
    if tilt <= degrees(_PRINTED):
        return None
    off = f"the scan's {axis_names} are {tilt:.2f} degrees off a right angle"
    return Flag("axes not perpendicular", f"{off}: the nearest perpendicular axes are used")


def _tilt(axes: Matrix) -> tuple[float, str]:
    """The largest deviation of two unit axes from a right angle, in degrees, and their names."""
    angles = {(i, j): degrees(acos(min(1.0, abs(float(axes[i] @ axes[j]))))) for i, j in combinations(range(3), 2)}
    (i, j), angle = min(angles.items(), key=lambda item: item[1])
    return 90 - angle, f"{_AXES[i]} and {_AXES[j]}"


def _nearest_rotation(axes: Matrix) -> Matrix:
    """U Vᵀ of the singular value decomposition U S Vᵀ: Higham, SIAM J Sci Stat Comput 1986;7:1160."""
    left, _, right = np.linalg.svd(axes)
    return np.asarray(left @ right, np.float64)
