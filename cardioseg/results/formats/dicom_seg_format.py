"""DICOM SEG: the mask at end-diastole and at end-systole, each as an object of its own beside the scan's images."""

from collections.abc import Iterator
from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.stack import Stack
from cardioseg.report.dicom_seg import Drawing, write_segmentation
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats.predicted import PredictedCase

NAME = "dicom-seg"
REFERS_TO_IMAGES = True
REFERS_TO: tuple[str, ...] = ()


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The files that are written."""
    return folder.seg_ed, folder.seg_es


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write an object for each of the two moments.

    Returns:
        A remark on what cannot be written and why, or nothing.

    Raises:
        ResourceError: the file system refuses the write.
    """
    if predicted.stack is None:
        return "no DICOM SEG: a NIfTI scan has no DICOM images that it could refer to"
    try:
        return "; ".join(_write(predicted, predicted.stack, folder))
    except UnusableError as error:
        return f"no DICOM SEG: {error}"


def _write(predicted: PredictedCase, stack: Stack, folder: CaseFolder) -> Iterator[str]:
    for (moment, phase), path in zip(predicted.moments, files(folder), strict=True):
        if phase is None:
            yield f"no DICOM SEG of {moment.name}, which is not known"
        else:
            drawing = Drawing(predicted.mask.phase(phase), predicted.card.structures, moment, predicted.author)
            write_segmentation(path, drawing, stack.headers[phase])
