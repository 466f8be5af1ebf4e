"""Synchrony: whether the LV contracts at the same time in all slices, as it does if these show one beat.

r_s = correlation, over the phases, of the LV area in slice s with the sum of the areas in the other middle slices. It
is 0.58 or more in masks of three Sunnybrook studies. If each slice begins at another moment of the beat, r_s has any
sign.
"""

from collections.abc import Iterator

import numpy as np

from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.measure.labelled_cine import LabelledCine

CORRELATION = 0.0  # the smallest that is sound
_MIDDLE = 0.5  # of the largest area: slices that are smaller are near the apex, or are cut by the base
_CONTRACTION = 0.2  # of a slice's largest area; less says nothing about the time
_SLICES, _PHASES = 5, 10  # fewer do not show it


def synchrony_flags(heart: LabelledCine) -> Iterator[Flag]:
    """A flag if the LV cavity grows in some of the middle slices while it shrinks in the others.

    Args:
        heart: the mask; slices without a picture are not looked at.
    """
    if Label.LV_CAVITY not in heart.labels or heart.mask.phases < _PHASES:
        return
    areas = heart.pixel_counts[Label.LV_CAVITY]
    means, largest = areas.mean(0), areas.max(0)
    is_middle = (means >= _MIDDLE * means.max()) & (largest - areas.min(0) > _CONTRACTION * largest)
    is_middle[list(heart.acquisition.missing)] = False
    middle = np.flatnonzero(is_middle).tolist()
    if len(middle) < _SLICES:
        return
    of_all = areas[:, middle].sum(1)
    correlations = {index: float(np.corrcoef(areas[:, index], of_all - areas[:, index])[0, 1]) for index in middle}
    worst = min(correlations, key=correlations.__getitem__)
    if correlations[worst] < CORRELATION:
        smallest = ", ".join(str(phase) for phase in areas[:, middle].argmin(0).tolist())
        limit = f"its area and that of the others correlate with {correlations[worst]:.1f} (limit {CORRELATION:g})"
        seen = f"LV cavity: {limit}; in slices {', '.join(map(str, middle))}, it is smallest at phases {smallest}"
        yield Flag("slices out of step", f"{seen}: the volumes may mix moments of the beat", slice=worst)
