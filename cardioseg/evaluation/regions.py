"""Regions: the base, mid and apex slices of a reference."""

import numpy as np

from cardioseg.image.orientation import is_base_first
from cardioseg.image.volume import Cine
from cardioseg.ingest.labels.subject import LabelledVolume

OUTSIDE = "outside"
REGIONS = ("base", "mid", "apex", OUTSIDE)


def regions(volume: LabelledVolume) -> tuple[str, ...]:
    """The region of each slice of a reference volume.

    The slices that hold any structure, counted from base to apex, are divided into three groups whose sizes differ by
    one at most, the larger ones first (with fewer than three slices, the last groups are empty). All other slices are
    `outside`: above the base or below the apex, where the reference is empty.
    """
    filled = np.flatnonzero(volume.mask.any(axis=(1, 2)))
    from_base = filled if is_base_first(Cine(volume.mask[None], volume.grid_or_nominal())) else filled[::-1]
    names = [OUTSIDE] * len(volume.mask)
    for region, group in zip(REGIONS, np.array_split(from_base, 3), strict=False):
        for index in group:
            names[index] = region
    return tuple(names)
