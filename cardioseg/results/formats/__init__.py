"""Formats: what `predict` writes of a mask. One file a format; it stands in the list below."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

from cardioseg.errors import UsageError
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import dicom_seg_mask, nifti_mask
from cardioseg.results.formats.predicted import PredictedMask


class MaskFormat(Protocol):
    """What each module here offers."""

    NAME: str  # as `--format` takes it
    REFERS_TO_IMAGES: bool  # whether a file names the scan's images, so that it fits only these

    def files(self, folder: CaseFolder, /) -> tuple[Path, ...]:
        """The files that it writes."""

    def write(self, predicted: PredictedMask, folder: CaseFolder, /) -> str:
        """Write them; returns what cannot be written and why, or nothing. Raises ResourceError."""


FORMATS: tuple[MaskFormat, ...] = (nifti_mask, dicom_seg_mask)
ALWAYS = nifti_mask.NAME


def parse_formats(text: str) -> frozenset[str]:
    """The formats in a comma-separated list, NIfTI always among them.

    Raises:
        UsageError: there is no such format.
    """
    format_names = [mask_format.NAME for mask_format in FORMATS]
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in format_names:
            raise UsageError(f"no format {name!r}", f"{', '.join(format_names)}; {ALWAYS} is always written")
    return frozenset({ALWAYS, *names})


def write_masks(predicted: PredictedMask, folder: CaseFolder, names: Collection[str]) -> Iterator[str]:
    """Write a mask in the formats of these names; yields a remark for each that cannot be written.

    Raises:
        ResourceError: the file system refuses a write.
    """
    for mask_format in FORMATS:
        if mask_format.NAME in names:
            yield mask_format.write(predicted, folder)


def mask_files(folder: CaseFolder) -> list[Path]:
    """The files of all formats, whether they are there or not."""
    return [path for mask_format in FORMATS for path in mask_format.files(folder)]


def refers_to_images(names: Collection[str]) -> bool:
    """Whether one of the formats names the scan's images."""
    return any(mask_format.REFERS_TO_IMAGES for mask_format in FORMATS if mask_format.NAME in names)
