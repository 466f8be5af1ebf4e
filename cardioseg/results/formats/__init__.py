"""Formats: what `predict` writes of a case for other programs. One file a format; it stands in the list below."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

from cardioseg.errors import UsageError
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import (
    dicom_sc_format,
    dicom_seg_format,
    dicom_seg_phases_format,
    dicom_sr_format,
    nifti_format,
    rtstruct_format,
    seg_nrrd_format,
)
from cardioseg.results.formats.predicted import PredictedCase


class Format(Protocol):
    """What each module here offers."""

    NAME: str  # as `--format` takes it
    REFERS_TO_IMAGES: bool  # whether a file names the scan's images, so that it fits only these
    REFERS_TO: tuple[str, ...]  # the formats whose files a file names, so that these are written too

    def files(self, folder: CaseFolder, /) -> tuple[Path, ...]:
        """The files that it writes."""

    def write(self, predicted: PredictedCase, folder: CaseFolder, /) -> str:
        """Write them; returns what cannot be written and why, or nothing. Raises ResourceError."""


FORMATS: tuple[Format, ...] = (
    nifti_format,
    dicom_seg_format,
    dicom_seg_phases_format,
    dicom_sr_format,
    dicom_sc_format,
    rtstruct_format,
    seg_nrrd_format,
)
"""In the order in which they are written."""

ALWAYS = nifti_format.NAME


def parse_formats(text: str) -> frozenset[str]:
    """The formats in a comma-separated list, with NIfTI and with those that they refer to.

    Raises:
        UsageError: there is no such format.
    """
    by_name = {known.NAME: known for known in FORMATS}
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in by_name:
            raise UsageError(f"no format {name!r}", f"{', '.join(by_name)}; {ALWAYS} is always written")
    return frozenset({ALWAYS, *names, *(other for name in names for other in by_name[name].REFERS_TO)})


def write_formats(predicted: PredictedCase, folder: CaseFolder, names: Collection[str]) -> Iterator[str]:
    """Write a case in the formats of these names; yields a remark for each that cannot be written.

    Raises:
        ResourceError: the file system refuses a write.
    """
    for known in FORMATS:
        if known.NAME in names:
            yield known.write(predicted, folder)


def format_files(folder: CaseFolder) -> list[Path]:
    """The files of all formats, whether they are there or not."""
    return [path for known in FORMATS for path in known.files(folder)]


def remove_objects(folder: CaseFolder) -> None:
    """Remove what was written of a mask in all formats; the mask itself, which people edit, stays."""
    for path in format_files(folder):
        if path != folder.mask:
            path.unlink(missing_ok=True)


def refers_to_images(names: Collection[str]) -> bool:
    """Whether one of the formats names the scan's images."""
    return any(known.REFERS_TO_IMAGES for known in FORMATS if known.NAME in names)
