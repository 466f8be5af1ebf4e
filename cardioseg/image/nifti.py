"""NIfTI: the one reader and writer of `.nii` and `.nii.gz`, through SimpleITK. A parser boundary."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from cardioseg.errors import UnusableError
from cardioseg.files import atomic_path, require_size_below
from cardioseg.image.volume import Cine, Grid, Volume, Voxels

_FILE_LIMIT_BYTES = 2 * 1024**3
_VOXELS_LIMIT_BYTES = 4 * 1024**3
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
        UnusableError: unreadable, of another dimension, with a grid that is not finite, or too large.
    """
    image = _read(path)
    voxels = sitk.GetArrayFromImage(image)
    if image.GetDimension() == 3:
        return Cine(voxels[None], _grid(image))
    return Cine(voxels, _grid(image), _times_ms(image))


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
    return bool(_header(path).GetDimension() == 4)


def write_volume(path: Path, volume: Volume) -> None:
    """Write a 3D NIfTI atomically."""
    _write(path, _image(volume.voxels, volume.grid))


def write_cine(path: Path, cine: Cine) -> None:
    """Write a 4D NIfTI atomically; the fourth spacing is the phase interval in seconds (1 where unknown)."""
    image = sitk.JoinSeries([_image(voxels, cine.grid) for voxels in cine.voxels])
    step_ms = float(np.mean(np.diff(cine.times_ms))) if len(cine.times_ms) > 1 else 1000.0
    image.SetSpacing((*image.GetSpacing()[:3], step_ms / 1000))
    _write(path, image)


def _header(path: Path) -> sitk.ImageFileReader:
    require_size_below(path, _FILE_LIMIT_BYTES)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("NiftiImageIO")
    try:
        reader.ReadImageInformation()
    except Exception as error:  # ITK raises RuntimeError with paths and header values in its text
        raise UnusableError(f"{path}: not a readable NIfTI file") from error
    _require_plausible(path, reader)
    return reader


def _require_plausible(path: Path, reader: sitk.ImageFileReader) -> None:
    if reader.GetDimension() not in (3, 4):
        raise UnusableError(f"{path}: {reader.GetDimension()} dimensions, expected 3 or 4")
    if reader.GetNumberOfComponents() != 1:
        raise UnusableError(f"{path}: several values a voxel, expected one")
    if int(np.prod(reader.GetSize(), dtype=object)) * 8 > _VOXELS_LIMIT_BYTES:
        raise UnusableError(f"{path}: more than {_VOXELS_LIMIT_BYTES // 8:.0e} voxels")
    if not np.isfinite([*reader.GetSpacing(), *reader.GetOrigin(), *reader.GetDirection()]).all():
        raise UnusableError(f"{path}: its geometry is not finite")


def _read(path: Path) -> sitk.Image:
    reader = _header(path)
    try:
        return reader.Execute()
    except Exception as error:  # see _header
        raise UnusableError(f"{path}: damaged or truncated") from error


def _grid(image: sitk.Image) -> Grid:
    columns, rows, slices = image.GetSize()[:3]
    dx, dy, dz = image.GetSpacing()[:3]
    n = image.GetDimension()
    matrix = np.asarray(image.GetDirection()).reshape(n, n)[:3, :3]
    z, y, x = ((float(a), float(b), float(c)) for a, b, c in matrix.T[::-1])
    return Grid((slices, rows, columns), (dz, dy, dx), tuple(image.GetOrigin()[:3]), (z, y, x))


def _times_ms(image: sitk.Image) -> tuple[float, ...]:
    """Times from the fourth spacing, in seconds by NIfTI's default units; none where it says nothing (0 or 1)."""
    step = image.GetSpacing()[3]
    known = 0 < step < 1
    return tuple(1000 * step * phase for phase in range(image.GetSize()[3])) if known else ()


def _image(voxels: Voxels, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
    image.SetOrigin(grid.origin_mm)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetDirection(np.asarray(grid.directions[::-1]).T.ravel().tolist())
    return image


def _write(path: Path, image: sitk.Image) -> None:
    with atomic_path(path) as partial:
        sitk.WriteImage(image, str(partial), useCompression=path.name.endswith(".gz"))
