"""Formats: what `predict` writes of a mask beside the NIfTI, which it always writes."""

from collections.abc import Iterator
from pathlib import Path

from cardioseg.errors import UnusableError, UsageError
from cardioseg.image.volume import Cine
from cardioseg.inference.cases import Case
from cardioseg.inference.session import Model
from cardioseg.ingest.cine.stack import Stack
from cardioseg.measure.case_measures import Measures
from cardioseg.report.dicom_seg import END_DIASTOLE, END_SYSTOLE, Author, Drawing, write_segmentation

NIFTI, DICOM_SEG = "nifti", "dicom-seg"
FORMATS = (NIFTI, DICOM_SEG)
SEG_FILES = {END_DIASTOLE: "seg_ed.dcm", END_SYSTOLE: "seg_es.dcm"}


def parse_formats(text: str) -> frozenset[str]:
    """The formats in a comma-separated list, NIfTI always among them.

    Raises:
        UsageError: there is no such format.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"no format {name!r}", f"{', '.join(FORMATS)}; {NIFTI} is always written")
    return frozenset({NIFTI, *names})


def write_segs(case: Case, mask: Cine, measures: Measures, model: Model, folder: Path) -> str:
    """Write `seg_ed.dcm` and `seg_es.dcm`.

    Returns:
        A remark on what cannot be written and why, or nothing.

    Raises:
        ResourceError: the file system refuses the write.
    """
    if case.series is None or case.series.stack is None:
        return "no DICOM SEG: a NIfTI scan has no DICOM images that it could refer to"
    try:
        return "; ".join(_write_segs(case.series.stack, mask, measures, model, folder))
    except UnusableError as error:
        return f"no DICOM SEG: {error}"


def _write_segs(stack: Stack, mask: Cine, measures: Measures, model: Model, folder: Path) -> Iterator[str]:
    author = Author(model.card.name, model.card.sha256)
    for moment, phase in ((END_DIASTOLE, measures.ed_phase), (END_SYSTOLE, measures.es_phase)):
        if phase is None:
            yield f"no DICOM SEG of {moment.name}, which is not known"
        else:
            drawing = Drawing(mask.phase(phase), model.card.structures, moment, author)
            write_segmentation(folder / SEG_FILES[moment], drawing, stack.headers[phase])
