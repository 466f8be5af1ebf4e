"""RTSTRUCT: the contours of end-diastole and of end-systole, each as a DICOM object of its own beside the scan."""

from pathlib import Path

from cardioseg.report.dicom_rtstruct import write_contours
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats.phase_objects import write_phases
from cardioseg.results.formats.predicted import PredictedCase

NAME = "rtstruct"
REFERS_TO_IMAGES = True
REFERS_TO: tuple[str, ...] = ()


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The files that are written."""
    return folder.path / "rtstruct_ed.dcm", folder.path / "rtstruct_es.dcm"


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write an object for each of the two moments.

    Returns:
        A remark on what cannot be written and why, or nothing.

    Raises:
        ResourceError: the file system refuses the write.
    """
    return write_phases(predicted, "RTSTRUCT", write_contours, predicted.moments_in(files(folder)))
