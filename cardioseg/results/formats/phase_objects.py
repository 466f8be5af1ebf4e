"""Phase objects: DICOM objects of which each holds the mask at one phase."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.report.dicom_seg import Drawing, Moment
from cardioseg.results.formats.predicted import PredictedCase

Write = Callable[[Path, Drawing, Sequence[SliceHeader | None]], None]


def write_phases(
    predicted: PredictedCase, kind: str, write: Write, phases: Iterable[tuple[Moment, int | None, Path]]
) -> str:
    """Write an object for each phase; the first that cannot be written is the last that is tried.

    Args:
        predicted: the case.
        kind: what the objects are called.
        write: writes one of them.
        phases: each with its name and the file; None if it is not known which it is.

    Returns:
        A remark on what cannot be written and why, or nothing.

    Raises:
        ResourceError: the file system refuses the write.
    """
    if predicted.stack is None:
        return f"no {kind}: the scan has no DICOM images that it could refer to"
    unknown = []
    for moment, phase, path in phases:
        if phase is None:
            unknown.append(f"no {kind} of {moment.name}, which is not known")
            continue
        drawing = Drawing(predicted.mask.phase(phase), predicted.structures, moment, predicted.author)
        try:
            write(path, drawing, predicted.stack.headers[phase])
        except UnusableError as error:
            return f"no {kind}: {error}"
    return "; ".join(unknown)
