"""Grid of a NIfTI file, from the geometry in its header, or the reason why there is none.

The sform is used if the file has no qform, if the code of the sform is 1 (scanner coordinates), or if both are equal;
else the qform. An sform whose axes are not perpendicular is used only if there is no qform. The spacing is always that
of `pixdim`. A file without either form lies at the origin, along the axes. ITK, and so SimpleITK and 3D Slicer, use the
same rule (itkNiftiImageIO.cxx, SetImageIOOrientationFromNIfTI); nibabel uses the sform wherever there is one. ITK
refuses axes that are off by more than 1e-4. Here they are replaced by the nearest rotation (the orthogonal factor of
the polar decomposition): silently if they are off by no more than the rounding of an affine printed with three
decimals, with a flag up to one degree.
"""

from itertools import combinations
from math import acos, degrees
from pathlib import Path

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.image.flag import Flag
from cardioseg.image.nifti_forms import Forms, Matrix
from cardioseg.image.volume import Grid

_SCANNER = 1  # the code of scanner coordinates
_FARTHEST_MM = 1e6
_QUATERNION_TOLERANCE = 1e-3  # of b² + c² + d² <= 1, for rounding
_PERPENDICULAR = 1e-4  # of the cosines between axes; ITK's limit
_PRINTED = 1.5e-3  # of the cosines between axes: two axes of 1 mm pixels, printed with three decimals
_TILT_DEGREES = 1.0  # a grid of right angles is then off by at most 1 mm in 60
_SAME = 1e-4  # largest difference between the elements of two equal affines
_FLAT_MM = 1e-3  # no voxel is smaller
_FLAT_VOLUME = 0.1  # of a unit cube: axes that are less than 6 degrees from one plane
_SPACING_RTOL = 0.01
_TO_LPS = np.diag([-1.0, -1.0, 1.0])
_AXES = ("columns", "rows", "slices")
_GIVE_DICOM = "some converters write that for some scanners: give the DICOM files instead"


def grid_of(path: Path, forms: Forms, size: tuple[int, ...]) -> Grid:
    """The grid of a file of (columns, rows, slices[, phases]); it keeps the forms, for masks on this grid.

    Raises:
        UnusableError: the geometry is not finite, is not a rotation, puts different voxels at one place, or has axes
            that are more than a degree from perpendicular.
    """
    _require_sound(path, forms)
    matrix = _TO_LPS @ _used_affine(forms)
    axes = matrix[:, :3] / np.linalg.norm(matrix[:, :3], axis=0)
    if _skew(axes) > _PERPENDICULAR:
        _require_nearly_perpendicular(path, axes)
        axes = _nearest_rotation(axes)
        matrix = _straightened(matrix, axes, size)
    columns, rows, slices = size[:3]
    dx, dy, dz = (mm * forms.unit_mm for mm in forms.pixdim[1:])
    z, y, x = ((float(a), float(b), float(c)) for a, b, c in axes.T[::-1] + 0.0)  # no minus zero
    x_mm, y_mm, z_mm = (matrix[:, 3] + 0.0).tolist()
    return Grid((slices, rows, columns), (dz, dy, dx), (x_mm, y_mm, z_mm), (z, y, x), forms)


def geometry_flags(grid: Grid) -> tuple[Flag, ...]:
    """Flags for a grid from a NIfTI file whose header is inconsistent."""
    forms = grid.forms
    if forms is None:
        return ()
    flags = (_tilt_flag(forms), _two_forms_flag(forms, grid), _two_spacings_flag(forms))
    return tuple(flag for flag in flags if flag)


def _require_sound(path: Path, forms: Forms) -> None:
    spacing = np.array(forms.pixdim[1:])
    if not (np.isfinite(spacing) & (spacing > 0)).all():
        raise UnusableError(f"{path}: its spacing is not three positive numbers")
    given = ((forms.qform, forms.has_qform), (forms.sform, forms.has_sform))
    used = [numbers for numbers, is_given in given if is_given]
    if not all((np.abs(numbers) < _FARTHEST_MM).all() for numbers in used):  # also False for NaN
        raise UnusableError(f"{path}: its geometry is not finite")
    if forms.has_qform and np.square(forms.qform[:3]).sum() > 1 + _QUATERNION_TOLERANCE:
        raise UnusableError(f"{path}: its orientation is no rotation")
    if forms.has_sform and (flat := _coinciding_voxels(forms.sform_matrix()[:, :3])):
        raise UnusableError(f"{path}: its affine maps {flat} to the same place", _flat_sform_hint(forms))


def _flat_sform_hint(forms: Forms) -> str:
    """The flat form, and what to do; the qform, if there is one, has passed its checks before."""
    if forms.has_qform:
        use_qform = "set sform_code to 0 to use the qform, or give the DICOM files instead"
        return f"this is its sform; its qform is valid: {use_qform}"
    return f"this is its sform, and it has no qform; {_GIVE_DICOM}"


def _coinciding_voxels(axes: Matrix) -> str:
    """The voxels that an affine puts at one place; "" if it is valid."""
    lengths_mm = np.linalg.norm(axes, axis=0)
    for name, length_mm in zip(_AXES, lengths_mm, strict=True):
        if length_mm < _FLAT_MM:
            return f"all {name}"
    return "different voxels" if abs(np.linalg.det(axes / lengths_mm)) < _FLAT_VOLUME else ""


def _used_affine(forms: Forms) -> Matrix:
    """[3, 4], RAS: the affine of the form that is used."""
    if not forms.has_qform and not forms.has_sform:
        spacing_mm = np.array(forms.pixdim[1:]) * forms.unit_mm
        return _TO_LPS @ np.column_stack([np.diag(spacing_mm), np.zeros(3)])
    return forms.sform_matrix() if follows_sform(forms) else forms.qform_matrix()


def follows_sform(forms: Forms) -> bool:
    """Whether the sform is used, and not the qform."""
    if not (forms.has_sform and forms.has_qform):
        return forms.has_sform
    affine = forms.sform_matrix()
    if _skew(affine[:, :3] / np.linalg.norm(affine[:, :3], axis=0)) > _PERPENDICULAR:
        return False
    return forms.sform_code == _SCANNER or bool((np.abs(affine - forms.qform_matrix()) <= _SAME).all())


def _skew(axes: Matrix) -> float:
    """How far unit axes are from perpendicular, as ITK measures it: the largest element of |A Aᵀ - 1|."""
    return float(np.abs(axes @ axes.T - np.eye(3)).max())


def _tilt(axes: Matrix) -> tuple[float, str]:
    """The largest deviation of two unit axes from a right angle, in degrees, and their names."""
    angles = {
        (i, j): degrees(acos(min(1.0, abs(float(axes[:, i] @ axes[:, j]))))) for i, j in combinations(range(3), 2)
    }
    (i, j), angle = min(angles.items(), key=lambda item: item[1])
    return 90 - angle, f"{_AXES[i]} and {_AXES[j]}"


def _require_nearly_perpendicular(path: Path, axes: Matrix) -> None:
    tilt, axis_names = _tilt(axes)
    if tilt > _TILT_DEGREES:
        raise UnusableError(
            f"{path}: its axes are not perpendicular: its {axis_names} are {tilt:.1f} degrees off a right angle "
            f"(limit {_TILT_DEGREES:g})",
            "resample it to a grid with perpendicular axes, or give the DICOM files",
        )


def _nearest_rotation(axes: Matrix) -> Matrix:
    """U Vᵀ of the singular value decomposition U S Vᵀ: Higham, SIAM J Sci Stat Comput 1986;7:1160."""
    left, _, right = np.linalg.svd(axes)
    return np.asarray(left @ right, np.float64)


def _straightened(matrix: Matrix, axes: Matrix, size: tuple[int, ...]) -> Matrix:
    """The affine along other axes, turned about the middle voxel, which keeps its position."""
    steps = axes * np.linalg.norm(matrix[:, :3], axis=0)
    middle = (np.array(size[:3]) - 1) / 2
    return np.column_stack([steps, matrix[:, 3] + (matrix[:, :3] - steps) @ middle])


def _tilt_flag(forms: Forms) -> Flag | None:
    axes = _used_affine(forms)[:, :3]
    tilt, axis_names = _tilt(axes / np.linalg.norm(axes, axis=0))
    if tilt <= degrees(_PRINTED):
        return None
    reason = (
        f"the scan's {axis_names} are {tilt:.2f} degrees off a right angle: the nearest perpendicular axes are used"
    )
    return Flag("axes not perpendicular", reason)


def _two_forms_flag(forms: Forms, grid: Grid) -> Flag | None:
    if not (forms.has_sform and forms.has_qform):
        return None
    distance_mm = _distance_mm(forms, grid)
    if distance_mm <= min(grid.pixel_mm) / 2:
        return None
    form_name = "sform" if follows_sform(forms) else "qform"
    reason = (
        f"they place voxels up to {distance_mm:.1f} mm apart: the {form_name} is used, as in ITK; the mask keeps both"
    )
    return Flag("qform and sform differ", reason)


def _distance_mm(forms: Forms, grid: Grid) -> float:
    """The largest distance between the positions of a corner voxel by the two forms."""
    shape = np.take(grid.shape, np.argsort(forms.axes))[::-1]  # of the file: columns, rows, slices
    corners = np.stack(np.meshgrid(*[(0, count - 1) for count in shape], [1], indexing="ij"), -1).reshape(-1, 4)
    return float(np.linalg.norm(corners @ (forms.sform_matrix() - forms.qform_matrix()).T, axis=1).max())


def _two_spacings_flag(forms: Forms) -> Flag | None:
    if not forms.has_sform:
        return None
    header_mm = np.array(forms.pixdim[1:]) * forms.unit_mm
    sform_mm = np.linalg.norm(forms.sform_matrix()[:, :3], axis=0)
    if (np.abs(sform_mm - header_mm) <= _SPACING_RTOL * header_mm).all():
        return None
    header_text, sform_text = (" x ".join(f"{mm:.3g}" for mm in spacing) for spacing in (header_mm, sform_mm))
    return Flag(
        "two spacings",
        f"the header says {header_text} mm and its sform {sform_text} mm: the header's is used, as in ITK",
    )
