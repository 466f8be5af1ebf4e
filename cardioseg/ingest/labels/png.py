"""PNG: the only reader of greyscale pictures, through SimpleITK. A parser boundary."""

from pathlib import Path

import SimpleITK as sitk

from cardioseg.errors import UnusableError
from cardioseg.files import require_size_below
from cardioseg.image.volume import Voxels

_FILE_LIMIT_BYTES = 64 * 1024**2
_SIDE_LIMIT = 4096


def read_png(path: Path) -> Voxels:
    """Read a greyscale PNG of 8 or 16 bits as (row, column).

    Raises:
        UnusableError: unreadable, in colour, or more than 4096 rows or columns.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("PNGImageIO")
    try:
        require_size_below(path, _FILE_LIMIT_BYTES)
        reader.ReadImageInformation()
        if reader.GetNumberOfComponents() != 1:
            raise UnusableError(f"{path}: a PNG in colour, expected greyscale")
        if max(reader.GetSize()) > _SIDE_LIMIT:
            raise UnusableError(f"{path}: more than {_SIDE_LIMIT} rows or columns")
        voxels: Voxels = sitk.GetArrayFromImage(reader.Execute())
    except (OSError, RuntimeError) as error:  # ITK raises only RuntimeError, with source lines in its text
        raise UnusableError(f"{path}: not a PNG, or damaged") from error
    return voxels
