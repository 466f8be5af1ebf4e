"""DICOM secondary capture: the contact sheet and the measures as pictures, which every viewer shows beside the scan."""

from pathlib import Path

from PIL import Image

from cardioseg.errors import UnusableError
from cardioseg.report.dicom_sc import write_captures
from cardioseg.report.measures_picture import draw_measures, with_statement
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats.predicted import PredictedCase

NAME = "dicom-sc"
REFERS_TO_IMAGES = True
REFERS_TO: tuple[str, ...] = ()


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The files that are written."""
    return folder.path / "sc_sheet.dcm", folder.path / "sc_measures.dcm"


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write a picture of the contact sheet, which is drawn already, and one of the measures.

    Returns:
        A remark on why they cannot be written, or nothing.

    Raises:
        ResourceError: the file system refuses a write.
    """
    if predicted.stack is None:
        return "no DICOM secondary capture: the scan has no DICOM study that it could belong to"
    description, headers, author = predicted.description, predicted.stack.headers[0], predicted.author
    measures, wall, flags = description.measures, description.wall, description.flags
    who, limits = author.statement, description.references
    page = draw_measures(measures, wall, flags, folder.case_id, statement=who, references=limits)
    try:
        with Image.open(folder.overlay) as sheet:
            pictures = with_statement(sheet, who), page
        write_captures(dict(zip(files(folder), pictures, strict=True)), author, headers)
    except UnusableError as error:
        return f"no DICOM secondary capture: {error}"
    return ""
