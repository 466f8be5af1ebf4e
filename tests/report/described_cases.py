"""What the tests of DICOM SR and secondary capture share: the phantom's own mask, measured, as `predict` has it."""

from types import SimpleNamespace
from typing import cast

from cardioseg.export.card import Card
from cardioseg.image.labels import STRUCTURES
from cardioseg.inference.measured_mask import describe
from cardioseg.ingest.cine.stack import Stack
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.curves import Moments
from cardioseg.phantom import Phantom, reference
from cardioseg.results.formats.predicted import PredictedCase

THICK = Phantom(
    slices=6, phases=8, rows=96, columns=96, spacing_mm=(14.0, 2.6, 2.6)
)  # its wall is several pixels thick
CARD = cast("Card", SimpleNamespace(name="sax", sha256="ab" * 32, structures=STRUCTURES))  # all that a format takes


def described(source: Stack | None, phantom: Phantom = THICK) -> PredictedCase:
    """The phantom's mask and its measures, as drawn on these images."""
    mask = reference(phantom)
    body = (source.height_m, source.weight_kg, source.heart_rate_bpm) if source else ()
    return PredictedCase(mask, describe(mask, STRUCTURES, Acquisition(*body), Moments()), CARD, source, True)
