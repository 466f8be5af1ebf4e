"""Predicted case: what a format needs to know in order to write it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.report.dicom_object import Author
from cardioseg.report.dicom_seg import END_DIASTOLE, END_SYSTOLE, Moment
from cardioseg.results.description import Description


@dataclass(frozen=True)
class PredictedCase:
    """A mask and what is known of it.

    Attributes:
        mask: `Label` values (phase, slice, row, column).
        description: measures and flags of the mask; they say what end-diastole and end-systole are.
        structures: what the model segments.
        author: who drew the mask.
        stack: the DICOM images that it was drawn on; None of a NIfTI scan.
        is_4d: whether the scan has a time axis.
    """

    mask: Cine
    description: Description
    structures: tuple[Label, ...]
    author: Author
    stack: Stack | None
    is_4d: bool

    @property
    def moments(self) -> tuple[tuple[Moment, int | None], ...]:
        """End-diastole and end-systole, each with its phase as far as it is known."""
        measures = self.description.measures
        return (END_DIASTOLE, measures.ed_phase), (END_SYSTOLE, measures.es_phase)

    def moments_in(self, paths: Sequence[Path]) -> Iterator[tuple[Moment, int | None, Path]]:
        """End-diastole and end-systole with the two files that hold them."""
        for (moment, phase), path in zip(self.moments, paths, strict=True):
            yield moment, phase, path

    def measured_headers(self, stack: Stack) -> dict[str, list[SliceHeader | None]]:
        """The images at end-diastole and end-systole of each ventricle; else those of the first phase."""
        measures = self.description.measures
        headers = {}
        for label in (Label.LV_CAVITY, Label.RV_CAVITY):
            moments = measures.moments(label)
            phases = [phase for phase in (moments.ed_phase, moments.es_phase) if phase is not None]
            headers[label.side] = [header for phase in phases for header in stack.headers[phase]]
        return {side: found for side, found in headers.items() if found} or {"": list(stack.headers[0])}
