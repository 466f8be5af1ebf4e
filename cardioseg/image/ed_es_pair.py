"""ED and ES pair: two 3D NIfTI images of one patient, which ACDC's `Info.cfg` names; read as a cine of two phases.

The images lie beside the card: `patient001/patient001_frame01.nii.gz` if its line `ED: 1` says so. The first phase is
ED, the second ES. Only a card that is given as a file is read so; in a folder, each image is a scan of its own.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cardioseg.archive.member_paths import is_file, open_file
from cardioseg.errors import UnusableError, reason_of
from cardioseg.image import nifti
from cardioseg.image.volume import Cine, Grid, Voxels

NAME = "ED and ES pair"
SUFFIXES: tuple[str, ...] = ()
PARTS: tuple[str, ...] = ()
CARD = "Info.cfg"
MOMENTS = ("ED", "ES")  # keys of the card, whose frames are numbered from 1
_NIFTI = (".nii.gz", ".nii")
_CARD_LIMIT_BYTES = 64 * 1024


def is_card(path: Path) -> bool:
    """Whether the name is that of ACDC's card."""
    return path.name == CARD


def read_card(path: Path) -> Mapping[str, str]:
    """The lines `key: value` of a card.

    Raises:
        OSError: it cannot be read.
        UnusableError: it lies in an archive that cannot be read.
    """
    with open_file(path) as file:
        lines = file.read(_CARD_LIMIT_BYTES).decode(errors="replace").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def frame_of(path: Path, card: Mapping[str, str], moment: str) -> int:
    """The number of the frame of ED or ES, from 1.

    Raises:
        UnusableError: the card does not give it.
    """
    number = card.get(moment, "")
    if not number.isdecimal():
        raise UnusableError(f"{path}: no frame number for {moment}")
    return int(number)


def image_named(folder: Path, stem: str) -> Path | None:
    """The NIfTI file with this stem, if there is one."""
    return next((path for suffix in _NIFTI if is_file(path := folder / (stem + suffix))), None)


def existing_image(folder: Path, stem: str) -> Path:
    """The NIfTI file with this stem.

    Raises:
        UnusableError: there is none.
    """
    path = image_named(folder, stem)
    if path is None:
        raise UnusableError(f"{folder / stem}.nii.gz: no such file")
    return path


def files(path: Path) -> tuple[Path, ...]:
    """The card, and the images that it names and that are there."""
    try:
        return (path, *_images(path))
    except UnusableError:
        return (path,)


def read_cine(path: Path) -> Cine:
    """Read the two images of a card.

    Raises:
        UnusableError: the card does not name two images, one cannot be read or is 4D, or they lie on different grids.
    """
    ed, es = (nifti.read_volume(image) for image in _images(path))
    if not ed.grid.matches(es.grid, ed.grid.rounding_mm):
        raise UnusableError(f"{path}: the images of ED and ES are on different grids")
    return Cine(np.stack([ed.voxels, es.voxels]), ed.grid)


def read_grid(path: Path) -> tuple[Grid, int]:
    """The grid of the image at ED, and 2.

    Raises:
        UnusableError: as `read_cine`.
    """
    return nifti.read_grid(_images(path)[0])[0], len(MOMENTS)


def read_sample(path: Path) -> Voxels:
    """The voxels at ED.

    Raises:
        UnusableError: as `read_cine`.
    """
    return nifti.read_sample(_images(path)[0])


def is_4d(_path: Path) -> bool:
    """Yes: its mask has a phase for each moment."""
    return True


def _images(path: Path) -> tuple[Path, Path]:
    folder = path.absolute().parent
    try:
        card = read_card(path)
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {reason_of(error)}") from None
    numbers = [frame_of(path, card, moment) for moment in MOMENTS]
    if numbers[0] == numbers[1]:
        raise UnusableError(f"{path}: ED and ES are the same frame")
    ed, es = (existing_image(path.parent, f"{folder.name}_frame{number:02d}") for number in numbers)
    return ed, es
