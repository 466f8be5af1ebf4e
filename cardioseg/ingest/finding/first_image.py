"""First image: an MR image below a folder, and the patient that it is of."""

from collections.abc import Iterable
from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.image.volume_files import is_volume_file
from cardioseg.ingest.dicom.patient_key import patient_key
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.finding.scan_files import regular_files


def first_image(folder: Path) -> Path | None:
    """The first DICOM file below a folder that is an MR image; None if there is none."""
    files = (path for path in regular_files(folder, (folder,)) if isinstance(path, Path) and not is_volume_file(path))
    return next(filter(_is_image, files), None)


def patient_in(folders: Iterable[Path]) -> str | None:
    """The patient key of the folders of one subject, as `Source.patient` says; None if they hold no DICOM image."""
    images = [image for folder in folders if (image := first_image(folder))]
    return next(filter(None, map(patient_key, images)), "" if images else None)


def _is_image(path: Path) -> bool:
    try:
        return any(header.is_mr for header in read_headers(path))
    except UnusableError:
        return False
