"""NIfTI: the one reader and writer of `.nii` and `.nii.gz`. A parser boundary: the geometry is read by SimpleITK."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from cardioseg.errors import ResourceError, UnusableError
from cardioseg.files import atomic_path
from cardioseg.image.header import read_header, read_voxels
from cardioseg.image.volume import Cine, Grid, Volume, Voxels

_SUFFIXES = (".nii.gz", ".nii")


def is_nifti(path: Path) -> bool:
    """Whether the name is a NIfTI file's."""
    return path.name.lower().endswith(_SUFFIXES)


def stem(path: Path) -> str:
    """The file's name without `.nii` or `.nii.gz`."""
    name = path.name
    return next((name[: -len(suffix)] for suffix in _SUFFIXES if name.lower().endswith(suffix)), path.stem)


def read_cine(path: Path) -> Cine:
    """Read a 3D or 4D NIfTI; a 3D one is a cine of one phase.

    Raises:
        UnusableError: unreadable, damaged, of another dimension, without a sound geometry, or too large.
    """
    header = read_header(path)
    geometry = _geometry(path)
    voxels = read_voxels(path, header)
    if len(header.size) == 3:
        return Cine(voxels[None], _grid(geometry))
    return Cine(voxels, _grid(geometry), _times_ms(geometry))


def read_volume(path: Path) -> Volume:
    """Read a 3D NIfTI (or a 4D one of a single phase).

    Raises:
        UnusableError: as `read_cine`, or more than one phase.
    """
    cine = read_cine(path)
    if cine.phases != 1:
        raise UnusableError(f"{path}: {cine.phases} phases where one volume was expected")
    return cine.phase(0)


def is_4d(path: Path) -> bool:
    """Whether the file says that it holds four dimensions.

    Raises:
        UnusableError: the header cannot be read.
    """
    return len(read_header(path).size) == 4


def write_volume(path: Path, volume: Volume) -> None:
    """Write a 3D NIfTI atomically."""
    _write(path, _image(volume.voxels, volume.grid))


def write_cine(path: Path, cine: Cine) -> None:
    """Write a 4D NIfTI atomically; the fourth spacing is the phase interval in seconds (1 where unknown)."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(cine.voxels), isVector=False)
    step_ms = float(np.mean(np.diff(cine.times_ms))) if len(cine.times_ms) > 1 else 0.0
    image.SetOrigin((*cine.grid.origin_mm, 0.0))
    image.SetSpacing((*cine.grid.spacing_mm[::-1], step_ms / 1000 if 0 < step_ms < np.inf else 1.0))
    directions = np.eye(4)
    directions[:3, :3] = _directions(cine.grid)
    image.SetDirection(directions.ravel().tolist())
    _write(path, image)


def _geometry(path: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("NiftiImageIO")
    try:
        with _silence():
            reader.ReadImageInformation()
    except RuntimeError as error:  # all that ITK raises, with source lines and header values in its text
        raise UnusableError(f"{path}: not a readable NIfTI file") from error
    if not np.isfinite([*reader.GetSpacing(), *reader.GetOrigin(), *reader.GetDirection()]).all():
        raise UnusableError(f"{path}: its geometry is not finite")
    return reader


@contextmanager
def _silence() -> Iterator[None]:
    """Keep ITK's warnings, which quote headers, off stderr."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _grid(image: sitk.ImageFileReader) -> Grid:
    columns, rows, slices = image.GetSize()[:3]
    dx, dy, dz = image.GetSpacing()[:3]
    n = image.GetDimension()
    matrix = np.asarray(image.GetDirection()).reshape(n, n)[:3, :3]
    z, y, x = ((float(a), float(b), float(c)) for a, b, c in matrix.T[::-1] + 0.0)  # no minus zero
    return Grid((slices, rows, columns), (dz, dy, dx), tuple(image.GetOrigin()[:3]), (z, y, x))


def _times_ms(image: sitk.ImageFileReader) -> tuple[float, ...]:
    """Times from the fourth spacing, in seconds by NIfTI's default units; none where it says nothing (0 or 1)."""
    step = image.GetSpacing()[3]
    known = 0 < step < 1
    return tuple(1000 * step * phase for phase in range(image.GetSize()[3])) if known else ()


def _image(voxels: Voxels, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
    image.SetOrigin(grid.origin_mm)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetDirection(_directions(grid).ravel().tolist())
    return image


def _directions(grid: Grid) -> NDArray[np.float64]:
    """Columns are the directions of columns, rows and slices: SimpleITK's order."""
    return np.asarray(grid.directions[::-1], np.float64).T


def _write(path: Path, image: sitk.Image) -> None:
    with atomic_path(path) as partial:
        partial.touch()  # where nothing may be written, the system says why and ITK does not
        try:
            sitk.WriteImage(image, str(partial), useCompression=path.name.endswith(".gz"))
            read_voxels(partial, read_header(partial))  # ITK says nothing when the disk is full
        except (RuntimeError, UnusableError) as error:
            raise ResourceError(f"cannot write {path}: it came out incomplete", "is the disk full?") from error
