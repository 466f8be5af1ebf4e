"""NIfTI: the only reader and writer of `.nii`, `.nii.gz` and pairs `.hdr`, `.img`. SimpleITK writes; this reads.

A mask of a scan that was read from NIfTI is written with the forms, codes and order of axes of the scan, so that every
program shows it at the position of the scan.
"""

import gzip
from math import prod
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from cardioseg.errors import ResourceError, UnusableError
from cardioseg.files import atomic_path
from cardioseg.image.alignment import as_stored, slice_order, slices_first
from cardioseg.image.nifti_grid import grid_of
from cardioseg.image.nifti_header import (
    PAIR_HEADERS,
    PAIR_VOXELS,
    files_of,
    read_first_phase,
    read_header,
    read_voxels,
    stamped,
)
from cardioseg.image.volume import Cine, Grid, Volume, Voxels, times_ms

NAME = "NIfTI"
SUFFIXES: tuple[str, ...] = (".nii.gz", ".nii", *PAIR_HEADERS)
PARTS: tuple[str, ...] = PAIR_VOXELS
_SAME_MM = 1e-3


def is_nifti(path: Path) -> bool:
    """Whether the name is a NIfTI file's."""
    return path.name.lower().endswith(SUFFIXES)


def read_cine(path: Path) -> Cine:
    """Read a 3D or 4D NIfTI; a 3D image is a cine of one phase. The slice axis is moved to the front.

    Raises:
        UnusableError: unreadable, damaged, not 3D or 4D, without a valid geometry, or too large.
    """
    header = read_header(path)
    grid = grid_of(path, header.forms, header.size)
    voxels = read_voxels(path, header)
    if len(header.size) == 3:
        return slices_first(Cine(voxels[None], grid))
    return slices_first(Cine(voxels, grid, times_ms(header.step_s, header.size[3])))


def read_grid(path: Path) -> tuple[Grid, int]:
    """The grid of a 3D or 4D NIfTI and the number of its phases, without its voxels.

    Raises:
        UnusableError: as `read_cine`.
    """
    header = read_header(path)
    grid = grid_of(path, header.forms, header.size)
    return grid.turned(slice_order(grid)), prod(header.size[3:])


def read_sample(path: Path) -> Voxels:
    """The voxels of the first phase, or of all phases if the first is constant, for a quick look.

    Raises:
        UnusableError: the file cannot be read, or is damaged.
    """
    header = read_header(path)
    voxels = read_first_phase(path, header)
    return voxels if voxels.min() < voxels.max() else read_voxels(path, header)


def files(path: Path) -> tuple[Path, ...]:
    """The files that the image is read from."""
    return files_of(path)


def read_volume(path: Path) -> Volume:
    """Read a 3D NIfTI, or a 4D NIfTI of a single phase.

    Raises:
        UnusableError: as `read_cine`, or more than one phase.
    """
    cine = read_cine(path)
    if cine.phases != 1:
        raise UnusableError(f"{path}: {cine.phases} phases where one volume was expected")
    return cine.phase(0)


def is_4d(path: Path) -> bool:
    """Whether the file has four dimensions by its header.

    Raises:
        UnusableError: the header cannot be read.
    """
    return len(read_header(path).size) == 4


def write_volume(path: Path, volume: Volume) -> None:
    """Write a 3D NIfTI atomically."""
    stored = as_stored(Cine(volume.voxels[None], volume.grid))
    _write(path, _image(stored.voxels[0], stored.grid), stored.grid)


def write_cine(path: Path, cine: Cine) -> None:
    """Write a 4D NIfTI atomically; the fourth spacing is the phase interval in seconds (1 if unknown)."""
    cine = as_stored(cine)
    image = sitk.GetImageFromArray(np.ascontiguousarray(cine.voxels), isVector=False)
    step_ms = float(np.mean(np.diff(cine.times_ms))) if len(cine.times_ms) > 1 else 0.0
    image.SetOrigin((*cine.grid.origin_mm, 0.0))
    image.SetSpacing((*cine.grid.spacing_mm[::-1], step_ms / 1000 if 0 < step_ms < np.inf else 1.0))
    directions = np.eye(4)
    directions[:3, :3] = _directions(cine.grid)
    image.SetDirection(directions.ravel().tolist())
    _write(path, image, cine.grid)


def _image(voxels: Voxels, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
    image.SetOrigin(grid.origin_mm)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetDirection(_directions(grid).ravel().tolist())
    return image


def _directions(grid: Grid) -> NDArray[np.float64]:
    """Columns are the directions of columns, rows and slices: SimpleITK's order."""
    return np.asarray(grid.directions[::-1], np.float64).T


def _write(path: Path, image: sitk.Image, grid: Grid) -> None:
    with atomic_path(path) as partial:
        partial.touch()  # if writing is not possible, the system's error says why; ITK's does not
        try:
            sitk.WriteImage(image, str(partial), useCompression=path.name.endswith(".gz"))
            read_voxels(partial, read_header(partial))  # ITK reports no error when the disk is full
            if _lies_on_forms(partial, grid):
                _stamp(partial, grid)
        except (RuntimeError, UnusableError) as error:
            raise ResourceError(f"cannot write {path}: the written file is incomplete", "is the disk full?") from error


def _lies_on_forms(path: Path, grid: Grid) -> bool:
    """Whether the grid, with its axes as stored, is the grid that its forms describe."""
    if grid.forms is None:
        return False
    return grid_of(path, grid.forms, grid.shape[::-1]).matches(grid, _SAME_MM)


def _stamp(path: Path, grid: Grid) -> None:
    """Write the forms that the grid was read from into a file; nothing else changes."""
    if grid.forms is None:
        return
    content = path.read_bytes()
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(stamped(gzip.decompress(content), grid.forms), mtime=0))
    else:
        path.write_bytes(stamped(content, grid.forms))
