"""DICOM SEG phases: the mask at every other phase, beside those of end-diastole and end-systole.

Each phase is an object of its own. All phases have the same positions, so that in one object they would lie on top of
each other: viewers and readers place a segment's frames by position.
"""

from pathlib import Path

from cardioseg.report.dicom_seg import other_phase, write_segmentation
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import dicom_seg_format
from cardioseg.results.formats.phase_objects import write_phases
from cardioseg.results.formats.predicted import PredictedCase

NAME = "dicom-seg-phases"
REFERS_TO_IMAGES = True
REFERS_TO: tuple[str, ...] = (dicom_seg_format.NAME,)


def files(folder: CaseFolder) -> tuple[Path, ...]:
    """The files that were written."""
    return tuple(sorted(folder.path.glob("seg_phase[0-9]*.dcm")))


def write(predicted: PredictedCase, folder: CaseFolder) -> str:
    """Write an object for each phase but end-diastole and end-systole, which have theirs.

    Returns:
        A remark on what cannot be written and why, or nothing; `dicom-seg` says that a scan is not DICOM.

    Raises:
        ResourceError: the file system refuses the write.
    """
    if predicted.stack is None:
        return ""
    have_theirs = {phase for _, phase in predicted.moments}
    others = (phase for phase in range(predicted.mask.phases) if phase not in have_theirs)
    phases = ((other_phase(phase), phase, folder.path / f"seg_phase{phase:02d}.dcm") for phase in others)
    return write_phases(predicted, f"{dicom_seg_format.KIND} of other phases", write_segmentation, phases)
