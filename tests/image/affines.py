"""NIfTI files with a geometry of one's choice, for the tests of what programs make of it."""

from pathlib import Path
from typing import Any

import numpy as np

from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.nifti_forms import Forms
from cardioseg.image.nifti_header import stamped
from cardioseg.image.volume import Cine, Grid, Volume, Voxels

IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def forms(**changes: Any) -> Forms:
    """An sform alone, of 1 mm along the axes, but for the changes."""
    sound = {"pixdim": (1.0, 1.0, 1.0, 1.0), "units": 10, "qform_code": 0, "sform_code": 1}
    return Forms(**({**sound, "qform": (0.0,) * 6, "sform": IDENTITY} | changes))


def sform(matrix: Any) -> tuple[float, ...]:
    """The numbers of an sform as a file keeps them, of [3 or 4, 4]."""
    return tuple(np.asarray(matrix, np.float32)[:3].ravel().tolist())


def ras(grid: Grid) -> np.ndarray:
    """[4, 4]: (column, row, slice, 1) to RAS millimetres."""
    matrix = np.eye(4)
    matrix[:3, :3] = (np.asarray(grid.directions) * np.asarray(grid.spacing_mm)[:, None])[::-1].T
    matrix[:3, 3] = grid.origin_mm
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix


def of_matrix(matrix: np.ndarray, **changes: Any) -> Forms:
    """An sform alone, with the spacing of its axes."""
    spacing = tuple(np.linalg.norm(matrix[:3, :3], axis=0).astype(np.float32).tolist())
    return forms(pixdim=(1.0, *spacing), sform=sform(matrix), **changes)


def write(path: Path, voxels: Voxels, geometry: Forms, step_s: float = 0.0) -> Path:
    """A plain file of voxels ([phase,] slice, row, column)."""
    times_ms = tuple(1000 * step_s * phase for phase in range(len(voxels))) if step_s and voxels.ndim == 4 else ()
    grid = Grid(voxels.shape[-3:], (1.0, 1.0, 1.0))
    if voxels.ndim == 4:
        write_cine(path, Cine(voxels, grid, times_ms))
    else:
        write_volume(path, Volume(voxels, grid))
    path.write_bytes(stamped(path.read_bytes(), geometry))
    return path
