"""RTSTRUCT: the contours of end-diastole and of end-systole, each as a DICOM object of its own beside the scan."""

from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.report.dicom_rtstruct import write_contours
from cardioseg.report.dicom_seg import Drawing
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats.predicted import PredictedCase

NAME = "rtstruct"
REFERS_TO_IMAGES = True
REFERS_TO: tuple[str, ...] = ()


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The files that are written."""
    return folder.contours_ed, folder.contours_es


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write an object for each of the two moments.

    Returns:
        A remark on what cannot be written and why, or nothing.

    Raises:
        ResourceError: the file system refuses the write.
    """
    if predicted.stack is None:
        return "no RTSTRUCT: the scan has no DICOM images that it could refer to"
    unknown = []
    for (moment, phase), path in zip(predicted.moments, files(folder), strict=True):
        if phase is None:
            unknown.append(f"no RTSTRUCT of {moment.name}, which is not known")
            continue
        drawing = Drawing(predicted.mask.phase(phase), predicted.card.structures, moment, predicted.author)
        try:
            write_contours(path, drawing, predicted.stack.headers[phase])
        except UnusableError as error:
            return f"no RTSTRUCT: {error}"
    return "; ".join(unknown)
