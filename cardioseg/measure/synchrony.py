"""Synchrony: whether the LV contracts at the same phases in all slices, as it does if these show one beat.

r_st = correlation over the phases of the LV areas of slices s and t. In a gated cine, the areas of the middle slices
fall and rise together: r is 0.7 or more in the masks of the Sunnybrook studies. If each slice begins at another moment
of the beat, r has any sign.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.measure.labelled_cine import LabelledCine

CORRELATION = 0.3  # smallest median of all pairs
_MIDDLE = 0.5  # of the largest area: slices that are smaller are near the apex, or are cut by the base
_CONTRACTION = 0.2  # of a slice's largest area; less says nothing about the time
_SLICES, _PHASES = 5, 10  # fewer do not show it


def synchrony_flags(heart: LabelledCine) -> Iterator[Flag]:
    """A flag if the areas of the LV cavity in the middle slices do not change together.

    Args:
        heart: the mask; slices without a picture are not looked at.
    """
    if Label.LV_CAVITY not in heart.labels or heart.mask.phases < _PHASES:
        return
    areas = heart.pixel_counts[Label.LV_CAVITY]
    largest = areas.max(0)
    is_middle = (areas.mean(0) >= _MIDDLE * areas.mean(0).max()) & (largest - areas.min(0) > _CONTRACTION * largest)
    is_middle[list(heart.acquisition.missing)] = False
    middle = np.flatnonzero(is_middle).tolist()
    if len(middle) < _SLICES:
        return
    matrix = np.corrcoef(areas[:, middle].T)
    correlation = float(np.median([matrix[pair] for pair in combinations(range(len(middle)), 2)]))
    if correlation < CORRELATION:
        smallest = ", ".join(str(phase) for phase in areas[:, middle].argmin(0).tolist())
        seen = f"in slices {middle[0]} to {middle[-1]}, the LV is smallest at phases {smallest}"
        limit = f"the areas correlate with {correlation:.1f} (limit {CORRELATION:g})"
        yield Flag("slices out of step", f"{seen}, and {limit}: the volumes may mix moments of the beat")
