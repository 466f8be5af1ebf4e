"""Volume files: images that lie in one file, in whatever format. One module a format; it stands in the list below."""

from pathlib import Path
from typing import Protocol

from cardioseg.image import nifti
from cardioseg.image.volume import Cine, Grid, Voxels

REFERENCE = "_gt"  # ends the stem of a reference mask, as in ACDC


class VolumeFormat(Protocol):
    """What each format's module offers. All but `SUFFIXES` raise UnusableError where a file cannot be read."""

    SUFFIXES: tuple[str, ...]  # lower case, the longest first

    def read_cine(self, path: Path, /) -> Cine:
        """A 3D or 4D image; a 3D one is a cine of one phase."""

    def read_grid(self, path: Path, /) -> tuple[Grid, int]:
        """The grid of each phase and the number of phases, without the voxels."""

    def read_sample(self, path: Path, /) -> Voxels:
        """The voxels of the first phase, or of all where these are all the same."""

    def is_4d(self, path: Path, /) -> bool:
        """Whether the image has a time axis."""


FORMATS: tuple[VolumeFormat, ...] = (nifti,)


def is_volume_file(path: Path) -> bool:
    """Whether the name is that of a volume file."""
    return _suffix(path) != ""


def format_of(path: Path) -> VolumeFormat:
    """The format that the name says; NIfTI where it says none."""
    return next((known for known in FORMATS if _suffix(path) in known.SUFFIXES), nifti)


def stem(path: Path) -> str:
    """The file's name without the format's suffix; `.nii.gz` is one."""
    suffix = _suffix(path)
    return path.name[: -len(suffix)] if suffix else path.stem


def siblings(path: Path, name: str) -> list[Path]:
    """The volume files of that stem in the folder of `path`."""
    places = [path.with_name(name + suffix) for known in FORMATS for suffix in known.SUFFIXES]
    return [place for place in places if place.is_file()]


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next((suffix for known in FORMATS for suffix in known.SUFFIXES if name.endswith(suffix)), "")
