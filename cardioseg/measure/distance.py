"""Distance: how far the surfaces of two masks lie apart, in millimetres."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from cardioseg.image.bounding_box import bounding_box
from cardioseg.measure.overlap import Mask, check_pair

_PERCENTILE = 95


@dataclass(frozen=True)
class Distances:
    """Between the surfaces of a reference and a prediction; None where either mask is empty, so has no surface.

    With d(R, P) the distances of every surface voxel of the reference to the nearest surface voxel of the prediction:

    Attributes:
        hd95_mm: 95 % Hausdorff distance, the larger of the 95th percentiles of d(R, P) and d(P, R).
        assd_mm: average symmetric surface distance, the mean of d(R, P) and d(P, R) together.
        hausdorff_mm: the largest of all these distances.
    """

    hd95_mm: float | None = None
    assd_mm: float | None = None
    hausdorff_mm: float | None = None


def distances(
    reference: Mask, predicted: Mask, spacing_mm: Sequence[float], places: Sequence[int] | None = None
) -> Distances:
    """Surface distances of two masks, in as many dimensions as they have.

    A surface voxel is one of the mask with a face neighbour outside it; outside the array is outside. Distances
    are between voxel centres, percentiles interpolate linearly: the definitions of MONAI's `HausdorffDistanceMetric`
    and of its `SurfaceDistanceMetric(symmetric=True)`. Where slices are missing in between, the face neighbour of a
    voxel is that in the next slice that is given, and distances are between the true places.

    Args:
        reference: bool, any shape.
        predicted: bool, the same shape.
        spacing_mm: distance between voxel centres along each axis.
        places: 0-based place of each slice (first axis) in its stack, increasing; None: no slice is missing.

    Raises:
        ValueError: the shapes differ, an array is not bool, or the spacing or the places do not fit.
    """
    check_pair(reference, predicted)
    if places is not None and len(places) != len(reference):
        raise ValueError(f"{len(places)} places do not fit {len(reference)} slices")
    if len(spacing_mm) != reference.ndim or min(spacing_mm) <= 0:
        raise ValueError(f"spacing {tuple(spacing_mm)} does not fit masks of {reference.ndim} dimensions")
    if not reference.any() or not predicted.any():
        return Distances()
    box = bounding_box(reference | predicted)  # what lies outside has no part in any surface
    surfaces = surface(reference[box]), surface(predicted[box])
    if places is not None:
        surfaces = _in_place(surfaces[0], places[box[0]]), _in_place(surfaces[1], places[box[0]])
    there, back = nearest_mm(*surfaces, spacing_mm), nearest_mm(*surfaces[::-1], spacing_mm)
    both = np.concatenate((there, back))
    hd95_mm = max(np.percentile(there, _PERCENTILE), np.percentile(back, _PERCENTILE))
    return Distances(float(hd95_mm), float(both.mean()), float(both.max()))


def _in_place(mask: Mask, places: Sequence[int]) -> Mask:
    """The mask with an empty slice for each one that is missing between its slices."""
    stack = np.zeros((places[-1] - places[0] + 1, *mask.shape[1:]), np.bool_)
    stack[np.subtract(places, places[0])] = mask
    return stack


def surface(mask: Mask) -> Mask:
    """The voxels of a mask (any shape) with a face neighbour outside it; outside the array is outside."""
    return np.asarray(mask & ~binary_erosion(mask))


def nearest_mm(start: Mask, target: Mask, spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """Distance of each voxel of `start` to the nearest one of `target`, in no order.

    Args:
        start: bool, any shape.
        target: bool, the same shape, not empty.
        spacing_mm: distance between voxel centres along each axis.
    """
    away = np.argwhere(start & ~target) * spacing_mm  # what both have is 0 mm away
    # A tree that is asked once is soonest built without care. A distance transform is as fast on hearts, but slow where
    # a stray voxel far away makes the box large.
    tree = cKDTree(np.argwhere(target) * spacing_mm, leafsize=32, compact_nodes=False, balanced_tree=False)
    distances_mm = np.zeros(np.count_nonzero(start))
    distances_mm[: len(away)] = tree.query(away)[0]
    return distances_mm
