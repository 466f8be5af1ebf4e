"""Postprocessing: what anatomy says about a mask and the network does not know."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label as connected_components

from cardioseg.image.labels import Label

Mask = NDArray[np.bool_]

_CORE = 0.5  # share of the most common pixel's count; the left ventricle moves and tapers about its axis, not off it


def clean(mask: NDArray[np.uint8], labels: Collection[Label]) -> NDArray[np.uint8]:
    """Keep one structure of each label; the rest becomes background.

    Args:
        mask: `Label` values (phase, slice, row, column).
        labels: the structures that may be in it.
    """
    kept = np.zeros_like(mask)
    for value in labels:
        structure = keep_on_axis if value is Label.LV_CAVITY else keep_largest
        kept[structure(mask == value)] = value
    return kept


def keep_largest(mask: Mask) -> Mask:
    """The largest component, connected through rows, columns, slices and time."""
    components = connected_components(mask, connectivity=1)
    sizes = np.bincount(components.ravel())[1:]
    return components == 1 + int(sizes.argmax()) if len(sizes) else np.zeros_like(mask)


def keep_on_axis(mask: Mask) -> Mask:
    """In each slice, the component on the left ventricle's axis, which runs through all short-axis slices.

    The axis is where the most slices and phases agree; a component that does not touch it is something else.
    """
    counts = mask.sum((0, 1))
    core = counts >= max(1, _CORE * counts.max())
    kept = np.zeros_like(mask)
    for index in np.ndindex(mask.shape[:2]):
        components = connected_components(mask[index], connectivity=1)
        on_core = np.bincount(components[core], minlength=2)[1:]
        if on_core.any():
            kept[index] = components == 1 + int(on_core.argmax())
    return kept
