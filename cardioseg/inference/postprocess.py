"""Postprocessing: what anatomy says about a mask and the network does not know."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label as connected_components

from cardioseg.image.labels import Label


def keep_largest(mask: NDArray[np.uint8], labels: Collection[Label]) -> NDArray[np.uint8]:
    """Keep the largest component of each label; the rest becomes background.

    There is one of each structure, and it is connected through slices and through time; so components are taken in all
    dimensions of `mask` (phase, slice, row, column), which joins what a single slice would leave apart.
    """
    kept = np.zeros_like(mask)
    for value in labels:
        components = connected_components(mask == value, connectivity=1)
        sizes = np.bincount(components.ravel())[1:]
        if len(sizes):
            kept[components == 1 + int(sizes.argmax())] = value
    return kept
