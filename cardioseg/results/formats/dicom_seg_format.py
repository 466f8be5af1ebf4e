"""DICOM SEG: the mask at end-diastole and at end-systole, each as an object of its own beside the scan's images."""

from pathlib import Path

from cardioseg.report.dicom_seg import write_segmentation
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats.phase_objects import write_phases
from cardioseg.results.formats.predicted import PredictedCase

NAME = "dicom-seg"
KIND = "DICOM SEG"
REFERS_TO_IMAGES = True
REFERS_TO: tuple[str, ...] = ()


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The files that are written."""
    return folder.path / "seg_ed.dcm", folder.path / "seg_es.dcm"


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write an object for each of the two moments.

    Returns:
        A remark on what cannot be written and why, or nothing.

    Raises:
        ResourceError: the file system refuses the write.
    """
    return write_phases(predicted, KIND, write_segmentation, predicted.moments_in(files(folder)))
