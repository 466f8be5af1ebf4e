"""Predicted mask: what a format needs to know in order to write it."""

from dataclasses import dataclass

from cardioseg.export.card import Card
from cardioseg.image.volume import Cine
from cardioseg.ingest.cine.stack import Stack
from cardioseg.measure.case_measures import Measures


@dataclass(frozen=True)
class PredictedMask:
    """A mask and what it was made of.

    Attributes:
        mask: `Label` values (phase, slice, row, column).
        measures: of the mask; they say what end-diastole and end-systole are.
        card: of the model.
        stack: the DICOM images that it was drawn on; None of a NIfTI scan.
        is_4d: whether the scan has a time axis.
    """

    mask: Cine
    measures: Measures
    card: Card
    stack: Stack | None
    is_4d: bool
