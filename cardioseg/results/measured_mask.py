"""Measured mask: a mask, whether a network or a hand drew it, becomes measures, curves and flags."""

from collections.abc import Collection, Sequence

from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Curves, Moments
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.quality import quality_flags
from cardioseg.measure.ventricles import measure
from cardioseg.measure.wall_measures import measure_wall
from cardioseg.measure.wall_motion import wall_values
from cardioseg.results.description import Description


def describe(
    mask: Cine,
    labels: Collection[Label],
    acquisition: Acquisition,
    moments: Moments,
    fold_curves_ml: Sequence[Curves] = (),
    *,
    earlier: Measures = Measures(),  # noqa: B008 - frozen
) -> Description:
    """Measure and judge a mask.

    Args:
        mask: `Label` values (phase, slice, row, column).
        labels: the structures that the model has.
        acquisition: of the scan.
        moments: phases that a person chose.
        fold_curves_ml: the curves of each network of an ensemble.
        earlier: what was measured before; its phases stay where nobody chose others.

    Raises:
        UnusableError: a chosen phase is not in the mask.
    """
    heart = LabelledCine(mask, labels, acquisition)
    measures = measure(heart, moments, fold_curves_ml, earlier=earlier)
    beat = measures.moments(Label.LV_CAVITY)
    wall = measure_wall(mask, heart.wall, beat)
    measures = measures.joined(wall_values(wall))
    flags = quality_flags(heart, measures)
    return Description(measures, flags, heart.curves_ml, mask.times_ms, acquisition, tuple(fold_curves_ml), wall)
