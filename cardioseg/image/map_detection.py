"""Maps: images of labels or probabilities instead of intensities."""

import numpy as np

from cardioseg.image.labels import whole
from cardioseg.image.volume import Voxels

_FEW = 20  # largest number of values: the heart's 17 segments, both cavities and the background
_NEAR = 1e-3  # largest distance to 0, relative to the highest value, or to 1
_MOST = 0.5  # of all voxels


def holds_few_values(voxels: Voxels) -> bool:
    """Whether there are only a few different values, whole or not, as in label maps; real scans have at least 111.

    False for a constant image. Labels that differ from whole numbers by rounding only count as whole.
    """
    values = np.unique(voxels)
    if len(values) > _FEW:
        values = np.unique(whole(values[np.isfinite(values)]))
        if (values % 1).any():  # as in a scan of tiny values
            return False
    return 1 < len(values) <= _FEW


def may_be_probabilities(voxels: Voxels) -> bool:
    """Whether all values lie from 0 to 1 and most are nearly 0 or 1, as in a network's output.

    A scan that was scaled to this range is like that only if most of it was masked.
    """
    highest = voxels.max()
    if not (voxels.min() >= 0 and highest <= 1 + _NEAR):  # False for NaN
        return False
    return bool(((voxels <= _NEAR * highest) | (voxels >= 1 - _NEAR)).mean() > _MOST)
