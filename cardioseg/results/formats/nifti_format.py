"""NIfTI: the mask on the grid of the scan. It is always written, and the one that people edit."""

from pathlib import Path

from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats.predicted import PredictedCase

NAME = "nifti"
REFERS_TO_IMAGES = False
REFERS_TO: tuple[str, ...] = ()


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The files that are written."""
    return (folder.mask,)


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write a 4D image of a cine, a 3D one of a volume.

    Raises:
        ResourceError: the file system refuses the write.
    """
    if predicted.is_4d:
        write_cine(folder.mask, predicted.mask)
    else:
        write_volume(folder.mask, predicted.mask.phase(0))
    return ""
