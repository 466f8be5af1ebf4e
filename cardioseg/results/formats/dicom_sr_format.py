"""DICOM SR: the measures as a structured report beside the scan's images. It refers to the DICOM SEG."""

from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.report.dicom_sr import write_structured_report
from cardioseg.report.dicom_sr_groups import Findings
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import dicom_seg_format
from cardioseg.results.formats.predicted import PredictedCase

NAME = "dicom-sr"
REFERS_TO_IMAGES = True
REFERS_TO: tuple[str, ...] = (dicom_seg_format.NAME,)


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The file that is written."""
    return (folder.path / "sr.dcm",)


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write the report.

    Returns:
        A remark on why it cannot be written, or nothing.

    Raises:
        ResourceError: the file system refuses the write.
    """
    if predicted.stack is None:
        return "no DICOM SR: the scan has no DICOM images that it could refer to"
    description = predicted.description
    measures, segments = description.measures, description.wall.segments
    phases = zip((measures.ed_phase, measures.es_phase), dicom_seg_format.files(folder), strict=True)
    masks = {phase: path for phase, path in phases if phase is not None and path.exists()}
    labels, author = predicted.structures, predicted.author
    findings = Findings(measures, segments, description.flags, labels, author, description.references)
    headers = predicted.measured_headers(predicted.stack)
    try:
        [path] = files(folder)
        write_structured_report(path, findings, masks, headers)
    except UnusableError as error:
        return f"no DICOM SR: {error}"
    return ""
