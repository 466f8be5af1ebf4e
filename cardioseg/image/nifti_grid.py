"""Grid of a NIfTI file, from the geometry in its header, or the reason why there is none.

The sform is used if the file has no qform, if the code of the sform is 1 (scanner coordinates), or if both are equal;
else the qform. An sform whose axes are not perpendicular is used only if there is no qform. The spacing is always that
of `pixdim`. A file without either form lies at the origin, along the axes. ITK, and so SimpleITK and 3D Slicer, use the
same rule (itkNiftiImageIO.cxx, SetImageIOOrientationFromNIfTI); nibabel uses the sform wherever there is one.
`stored_axes.py` makes the axes perpendicular.
"""

from pathlib import Path

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.image.flag import Flag
from cardioseg.image.nifti_forms import Forms, Matrix
from cardioseg.image.stored_axes import FARTHEST_MM, are_perpendicular, grid_along
from cardioseg.image.volume import Grid

_SCANNER = 1  # the code of scanner coordinates
_QUATERNION_TOLERANCE = 1e-3  # of b² + c² + d² <= 1, for rounding
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
    spacing_mm = np.array(forms.pixdim[1:]) * forms.unit_mm
    return grid_along(path, size, spacing_mm, matrix[:, 3], axes.T, forms=forms)


def geometry_flags(grid: Grid) -> tuple[Flag, ...]:
    """Flags for a grid from a file whose header is inconsistent."""
    forms = grid.forms
    of_forms = (_two_forms_flag(forms, grid), _two_spacings_flag(forms)) if forms else ()
    return tuple(flag for flag in (grid.axes_flag, *of_forms) if flag)


def _require_sound(path: Path, forms: Forms) -> None:
    spacing = np.array(forms.pixdim[1:])
    if not (np.isfinite(spacing) & (spacing > 0)).all():
        raise UnusableError(f"{path}: its spacing is not three positive numbers")
    given = ((forms.qform, forms.has_qform), (forms.sform, forms.has_sform))
    used = [numbers for numbers, is_given in given if is_given]
    if not all((np.abs(numbers) < FARTHEST_MM).all() for numbers in used):  # also False for NaN
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
    if not are_perpendicular((affine[:, :3] / np.linalg.norm(affine[:, :3], axis=0)).T):
        return False
    return forms.sform_code == _SCANNER or bool((np.abs(affine - forms.qform_matrix()) <= _SAME).all())


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
