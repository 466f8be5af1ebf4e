"""Maps: images that hold labels or probabilities where a scan holds intensities."""

import numpy as np

from cardioseg.image.labels import whole
from cardioseg.image.volume import Voxels

_FEW = 20  # different values at most; the heart's 17 segments, both cavities and the background
_NEAR = 1e-3  # to 0, as a share of the highest value, or to 1
_MOST = 0.5  # of all voxels


def holds_few_values(voxels: Voxels) -> bool:
    """Whether there are only a few different values, whole or not, as in label maps; the fewest of real scans are 111.

    A constant image is none. Labels that are whole but for rounding count as whole.
    """
    values = np.unique(voxels)
    if len(values) > _FEW:
        values = np.unique(whole(values[np.isfinite(values)]))
        if (values % 1).any():  # as in a scan of tiny values
            return False
    return 1 < len(values) <= _FEW


def may_be_probabilities(voxels: Voxels) -> bool:
    """Whether all values lie from 0 to 1 and most are nearly 0 or 1, as a network's output is.

    A scan that was scaled to this range is so only where most of it was masked.
    """
    highest = voxels.max()
    if not (voxels.min() >= 0 and highest <= 1 + _NEAR):  # no number is in no range
        return False
    return bool(((voxels <= _NEAR * highest) | (voxels >= 1 - _NEAR)).mean() > _MOST)
