"""Forms: the geometry of a NIfTI header, with the numbers as they are stored.

There may be two: the qform, a rotation with a spacing, and the sform, any affine. Each has a code; 0 means "not given".
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_UNIT_MM = {1: 1000.0, 3: 0.001}  # NIfTI's codes for metres and micrometres; others are read as millimetres
_UNIT_S = {16: 1e-3, 24: 1e-6}  # for milliseconds and microseconds; others are read as seconds
_SPACE, _TIME = 0x07, 0x38  # the bits of xyzt_units
_HALF_TURN = 1e-7  # below it 1 - b² - c² - d² is rounding


@dataclass(frozen=True)
class Forms:
    """The geometry of a NIfTI-1 file, in the units of the file.

    Attributes:
        pixdim: qfac (-1 if the qform's third axis is reversed), then the spacing along columns, rows, slices.
        units: `xyzt_units`.
        qform_code: 0 if the file has no qform.
        sform_code: 0 if the file has no sform.
        qform: the quaternion's b, c, d and the offset along x, y, z.
        sform: the rows for x, y and z.
        axes: the file's axes, numbered as (slice, row, column), that are the grid's slice, row and column.
    """

    pixdim: tuple[float, ...]
    units: int
    qform_code: int
    sform_code: int
    qform: tuple[float, ...]
    sform: tuple[float, ...]
    axes: tuple[int, int, int] = (0, 1, 2)

    @classmethod
    def of(cls, fields: np.void) -> "Forms":
        """From the fields of a header; in single precision, in which masks are written."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # of NIfTI-2; refused later
            singles = (fields[name].astype(np.float32) for name in ("pixdim", "qform", "sform"))
            pixdim, qform, sform = (tuple(numbers.tolist()) for numbers in singles)
        codes = int(fields["qform_code"]), int(fields["sform_code"])
        return cls(pixdim[:4], int(fields["units"]), *codes, qform, sform)

    def stamp(self, fields: np.void) -> None:
        """Write the forms into the fields of another header; its unit of time does not change."""
        fields["pixdim"][:4] = self.pixdim
        fields["units"] = (self.units & _SPACE) | (int(fields["units"]) & ~_SPACE)
        for name in ("qform_code", "sform_code", "qform", "sform"):
            fields[name] = getattr(self, name)

    def turned(self, order: tuple[int, int, int]) -> "Forms":
        """The forms of the grid with its axes in another order."""
        first, second, third = (self.axes[axis] for axis in order)
        return replace(self, axes=(first, second, third))

    @property
    def unit_mm(self) -> float:
        """Millimetres in the file's unit of length."""
        return _UNIT_MM.get(self.units & _SPACE, 1.0)

    @property
    def unit_s(self) -> float:
        """Seconds in the file's unit of time."""
        return _UNIT_S.get(self.units & _TIME, 1.0)

    @property
    def has_qform(self) -> bool:
        """Whether a qform is given."""
        return self.qform_code > 0

    @property
    def has_sform(self) -> bool:
        """Whether an sform is given."""
        return self.sform_code > 0

    def sform_matrix(self) -> Matrix:
        """[3, 4]: (column, row, slice, 1) to RAS millimetres."""
        return np.reshape(self.sform, (3, 4)) * self.unit_mm

    def qform_matrix(self) -> Matrix:
        """[3, 4]: (column, row, slice, 1) to RAS millimetres, by the qform.

        Computed as in `nifti_quatern_to_mat44` of niftilib (nifti1_io.c), which ends in single precision.
        """
        b, c, d, *offset = self.qform
        qfac, dx, dy, dz = self.pixdim
        rest = 1.0 - (b * b + c * c + d * d)
        if rest < _HALF_TURN:
            length = sqrt(b * b + c * c + d * d)
            a, b, c, d = 0.0, b / length, c / length, d / length
        else:
            a = sqrt(rest)
        rotation = [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
        axes = np.asarray(rotation) * (dx, dy, -dz if qfac < 0 else dz)
        return np.column_stack([axes, offset]).astype(np.float32).astype(np.float64) * self.unit_mm
