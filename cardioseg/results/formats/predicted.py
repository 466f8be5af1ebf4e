"""Predicted case: what a format needs to know in order to write it."""

from dataclasses import dataclass

from cardioseg.export.card import Card
from cardioseg.image.volume import Cine
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.report.dicom_object import Author
from cardioseg.results.description import Description


@dataclass(frozen=True)
class PredictedCase:
    """A mask and what is known of it.

    Attributes:
        mask: `Label` values (phase, slice, row, column).
        description: measures and flags of the mask; they say what end-diastole and end-systole are.
        card: of the model.
        stack: the DICOM images that it was drawn on; None of a NIfTI scan.
        is_4d: whether the scan has a time axis.
    """

    mask: Cine
    description: Description
    card: Card
    stack: Stack | None
    is_4d: bool

    @property
    def author(self) -> Author:
        """Who drew the mask."""
        return Author(self.card.name, self.card.sha256)

    def shown_headers(self, stack: Stack) -> list[SliceHeader | None]:
        """The images at end-diastole and end-systole as far as these are known, or else those of the first phase."""
        measures = self.description.measures
        phases = [phase for phase in (measures.ed_phase, measures.es_phase) if phase is not None] or [0]
        return [header for phase in phases for header in stack.headers[phase]]
