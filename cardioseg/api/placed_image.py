"""Placed image: voxels as an array, and where they lie in the patient."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.orientation import Directions, says_base_first
from cardioseg.image.volume import Cine, Grid

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Image:
    """A scan or a mask with its geometry.

    Voxel (slice, row, column) lies at origin_mm + slice * spacing_mm[0] * directions[0] + row * spacing_mm[1] *
    directions[1] + column * spacing_mm[2] * directions[2], in LPS: mm to the patient's left, back and head.

    Attributes:
        array: (phase, slice, row, column), also where there is a single phase. Of a scan intensities; of a mask
            `Label` numbers as uint8.
        spacing_mm: distance between voxel centres along (slice, row, column).
        origin_mm: LPS position of the centre of voxel (0, 0, 0).
        directions: LPS unit vectors along which slice, row and column increase.
        times_ms: time of each phase, after the R wave if a scan is DICOM; empty where it is not known.
    """

    array: NDArray[Any] = field(repr=False)
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    directions: Directions
    times_ms: tuple[float, ...] = ()

    def __repr__(self) -> str:
        phases, slices, rows, columns = self.array.shape
        counts = f"{phases} phase{'s' * (phases > 1)} of {slices} slice{'s' * (slices > 1)}"
        return f"<Image: {counts} of {rows} x {columns}, {self.array.dtype}>"

    @property
    def affine(self) -> NDArray[np.float64]:
        """NIfTI's affine (4, 4): from (column, row, slice) to RAS mm.

        nibabel counts axes the other way round: `nibabel.Nifti1Image(image.array.T, image.affine)` is this image.
        """
        affine = np.eye(4)
        steps_mm = np.asarray(self.directions) * np.asarray(self.spacing_mm)[:, None]
        affine[:3, :3] = _LPS_TO_RAS @ steps_mm[::-1].T
        affine[:3, 3] = _LPS_TO_RAS @ np.asarray(self.origin_mm)
        return affine

    @property
    def base_first(self) -> bool | None:
        """Whether slice 0 is the basal end as far as the geometry says it; None where it does not.

        `LoadedModel.segment` takes it.
        """
        shape = self.array.shape[1], self.array.shape[2], self.array.shape[3]
        return says_base_first(Grid(shape, self.spacing_mm, self.origin_mm, self.directions))


def image_of(cine: Cine) -> Image:
    """A cine as an image."""
    slices, rows, columns = cine.grid.directions
    directions = slices, rows, columns
    return Image(cine.voxels, cine.grid.spacing_mm, cine.grid.origin_mm, directions, cine.times_ms)
