"""What the tests of DICOM SR and secondary capture share: the phantom's own mask, measured, as `predict` has it."""

from cardioseg.image.labels import STRUCTURES
from cardioseg.ingest.cine.stack import Stack
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.curves import Moments
from cardioseg.phantom import Phantom, reference
from cardioseg.report.dicom_object import Author
from cardioseg.results.formats.predicted import PredictedCase
from cardioseg.results.measured_mask import describe

THICK = Phantom(
    slices=6, phases=8, rows=96, columns=96, spacing_mm=(14.0, 2.6, 2.6)
)  # its wall is several pixels thick
AUTHOR = Author("sax", "ab" * 32)


def described(source: Stack | None, phantom: Phantom = THICK) -> PredictedCase:
    """The phantom's mask and its measures, as drawn on these images."""
    mask = reference(phantom)
    body = (source.height_m, source.weight_kg, source.heart_rate_bpm) if source else ()
    description = describe(mask, STRUCTURES, Acquisition(*body), Moments())
    return PredictedCase(mask, description, STRUCTURES, AUTHOR, source, True)
