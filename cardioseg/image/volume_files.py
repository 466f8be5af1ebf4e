"""Volume files: images that are stored in one file, in any format. Each format is one module in the list below."""

from pathlib import Path
from typing import Protocol

from cardioseg.archive.member_paths import is_file
from cardioseg.image import ed_es_pair, metaimage, nifti, nrrd
from cardioseg.image.volume import Cine, Grid, Voxels

REFERENCE = "_gt"  # ends the stem of a reference mask, as in ACDC
SEGMENTATION = ".seg"  # ends the stem of a segmentation of 3D Slicer


class VolumeFormat(Protocol):
    """The interface of a format's module. All functions raise UnusableError if a file cannot be read."""

    NAME: str  # for people
    SUFFIXES: tuple[str, ...]  # lower case, the longest first
    PARTS: tuple[str, ...]  # suffixes of files with the voxels of such a file, which has the same stem

    def read_cine(self, path: Path, /) -> Cine:
        """A 3D or 4D image; a 3D image is a cine of one phase."""

    def read_grid(self, path: Path, /) -> tuple[Grid, int]:
        """The grid of each phase and the number of phases, without the voxels."""

    def read_sample(self, path: Path, /) -> Voxels:
        """The voxels of the first phase, or of all phases if the first is constant."""

    def files(self, path: Path, /) -> tuple[Path, ...]:
        """The files that the image is read from: the file itself first."""

    def is_4d(self, path: Path, /) -> bool:
        """Whether the image has a time axis."""


FORMATS: tuple[VolumeFormat, ...] = (nifti, metaimage, nrrd)


def is_volume_file(path: Path) -> bool:
    """Whether the name has the suffix of a volume file."""
    return _suffix(path) != ""


def is_part(path: Path) -> bool:
    """Whether a file holds the voxels of a volume file beside it, and is none itself."""
    stems = [(volume_format, suffix) for volume_format in FORMATS for suffix in volume_format.PARTS]
    return any(
        path.name.lower().endswith(suffix) and is_file(path.with_name(path.name[: -len(suffix)] + own))
        for volume_format, suffix in stems
        for own in volume_format.SUFFIXES
    )


def format_of(path: Path) -> VolumeFormat:
    """The format by the file's name; NIfTI if the suffix is unknown."""
    if ed_es_pair.is_card(path):
        return ed_es_pair
    return next((volume_format for volume_format in FORMATS if _suffix(path) in volume_format.SUFFIXES), nifti)


def stem(path: Path) -> str:
    """The file's name without the format's suffix, such as `.nii.gz`."""
    suffix = _suffix(path)
    return path.name[: -len(suffix)] if suffix else path.stem


def siblings(path: Path, name: str) -> list[Path]:
    """The volume files with the stem `name` in the folder of `path`."""
    places = [path.with_name(name + suffix) for volume_format in FORMATS for suffix in volume_format.SUFFIXES]
    return [place for place in places if is_file(place)]


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next((suffix for volume_format in FORMATS for suffix in volume_format.SUFFIXES if name.endswith(suffix)), "")
