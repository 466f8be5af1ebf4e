"""Postprocessing: what anatomy says about a mask and the network does not know."""

from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import in_plane_box
from cardioseg.image.components import component_numbers, largest_component
from cardioseg.image.labels import Label
from cardioseg.image.orientation import is_base_first
from cardioseg.image.volume import Cine

Mask = NDArray[np.bool_]

_OVERLAP = 0.5  # of the smaller of two neighbouring slices; a ventricle tapers, but does not step aside
_CORE = 0.5  # share of the most common pixel's count; the left ventricle moves and tapers about its axis, not off it


def clean(mask: NDArray[np.uint8], labels: Collection[Label]) -> NDArray[np.uint8]:
    """Keep one structure of each label; the rest becomes background.

    That is the largest; where the left ventricle's cavity is all that a network knows, so that nothing else tells it
    from a vessel, what lies on its axis.

    Args:
        mask: `Label` values (phase, slice, row, column).
        labels: the structures that may be in it.
    """
    kept = np.zeros_like(mask)
    if not mask.any():
        return kept
    box = (..., *in_plane_box(mask))  # most of a slice is no heart, and components cost by the pixel
    inside, result = mask[box], kept[box]
    for value in labels:
        structure = keep_on_axis if set(labels) == {Label.LV_CAVITY} else largest_component
        result[structure(inside == value)] = value
    return kept


def keep_on_axis(mask: Mask) -> Mask:
    """In each slice, the component on the left ventricle's axis, which runs through all short-axis slices.

    The axis is where the most slices and phases agree; a component that does not touch it is something else. So is one
    that does not lie over its neighbour's: from the middle outwards, the ventricle ends where the overlap does.
    """
    counts = mask.sum((0, 1))
    core = counts >= max(1, _CORE * counts.max())
    kept = np.zeros_like(mask)
    for phase, slices in enumerate(mask):
        touching = np.stack([_touching(plane, core) for plane in slices])
        filled = np.flatnonzero(touching.any((1, 2)))
        if len(filled):
            middle = int(filled[len(filled) // 2])
            kept[phase, middle:] = _chain(touching[middle:])
            kept[phase, middle::-1] = _chain(touching[middle::-1])
    return kept


def _touching(plane: Mask, core: Mask) -> Mask:
    """The component of a slice that covers most of the core."""
    numbers = component_numbers(plane)
    on_core = np.bincount(numbers[plane & core], minlength=1)
    return np.asarray(plane & (numbers == on_core.argmax()))


def _chain(planes: Mask) -> Mask:
    """The planes as far as each lies over the one before it."""
    chained = planes.copy()
    for before, plane in pairwise(chained):
        if (before & plane).sum() < _OVERLAP * min(before.sum(), plane.sum()) or not before.any():
            plane[:] = False
    return chained


def without_basal_myocardium(mask: Cine) -> Cine:
    """Without the myocardium in slices beyond the basal end of the LV cavity, phase by phase.

    There the network draws a ring around the aorta or the pulmonary artery. Beyond the apical end it draws the
    cap of the apex, rightly without a cavity. A phase without any cavity stays as it is: it has no end.

    Args:
        mask: `Label` values (phase, slice, row, column).
    """
    cavity = (mask.voxels == Label.LV_CAVITY).any((2, 3))
    beyond = _before(cavity) if is_base_first(mask) else _before(cavity[:, ::-1])[:, ::-1]
    if not beyond.any():
        return mask
    voxels = mask.voxels.copy()
    planes = voxels[beyond]
    planes[planes == Label.LV_MYOCARDIUM] = Label.BACKGROUND
    voxels[beyond] = planes
    return replace(mask, voxels=voxels)


def _before(filled: Mask) -> Mask:
    """Of (phase, slice), the slices before the first that is filled; none where none is."""
    return ~np.logical_or.accumulate(filled, axis=1) & filled.any(axis=1, keepdims=True)
