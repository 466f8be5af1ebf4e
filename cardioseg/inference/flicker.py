"""Flicker: a structure that appears in a slice, or is missing from it, for only a moment of the beat.

The ventricles move through the basal and apical slices once a beat, so a structure is in such a slice for one part of
the beat. Where the network is unsure, it draws or leaves out the structure for single phases, and the volume jumps.
"""

from dataclasses import replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import in_plane_box
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine

_MOMENT = 0.1  # of the beat's phases; the valves take longer to move through a slice and back
_CAVITIES = (Label.LV_CAVITY, Label.RV_CAVITY)

Presence = NDArray[np.bool_]


def without_flicker(mask: Cine) -> Cine:
    """The mask with each structure present in a slice where it is in most phases around.

    A structure that is missing for a moment is interpolated between the phases before and after, on background only.
    The last and the first phase are neighbours if the volume is as steady between them as elsewhere; if not, the cine
    does not cover the beat. A cine of fewer than ten phases is too coarse and stays as it is.

    Args:
        mask: `Label` values (phase, slice, row, column).
    """
    reach = int(_MOMENT * len(mask.voxels))
    if not reach or not mask.voxels.any():
        return mask
    voxels = mask.voxels.copy()
    inside = voxels[..., *in_plane_box(voxels)]  # most of a slice is no heart
    closes = _closes(inside)
    for label in STRUCTURES:
        structure = inside == label
        presence = structure.any((2, 3))
        steady = _most_around(presence, reach, closes)
        inside[(presence & ~steady)[..., None, None] & structure] = Label.BACKGROUND
        for phase, index in np.argwhere(steady & ~presence):
            plane = inside[phase, index]
            plane[_interpolated(structure[:, index], phase) & (plane == Label.BACKGROUND)] = label
    return replace(mask, voxels=voxels)


def _closes(voxels: NDArray[np.uint8]) -> bool:
    """Whether the cavities change no more from the last to the first phase than between others.

    Of each cavity, only slices that have it in all phases count: in the others, flicker itself may be the change.
    """
    areas = np.stack([np.count_nonzero(voxels == cavity, axis=(2, 3)) for cavity in _CAVITIES], axis=-1)
    area = areas[:, areas.all(0)].sum(1)
    return bool(abs(area[0] - area[-1]) <= np.abs(np.diff(area)).max())


def _most_around(presence: Presence, reach: int, closes: bool) -> Presence:
    """The median of (phase, slice) over the phases up to `reach` before and after."""
    padded = np.pad(presence, ((reach, reach), (0, 0)), mode="wrap" if closes else "edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(around.sum(-1) > reach)


def _interpolated(planes: NDArray[np.bool_], phase: int) -> NDArray[np.bool_]:
    """A structure (phase, row, column) of one slice at a phase in which it is missing, from its nearest phases."""
    phases = len(planes)
    before = next(step for step in count(1) if planes[(phase - step) % phases].any())
    after = next(step for step in count(1) if planes[(phase + step) % phases].any())
    earlier, later = (_depth(planes[(phase + step) % phases]) for step in (-before, after))
    between = after * earlier + before * later
    return np.asarray((between > 0) | ((between == 0) & (earlier > 0)))


def _depth(plane: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance in pixels to the edge of a structure; negative outside."""
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - slow to import

    return np.asarray(distance_transform_edt(plane) - distance_transform_edt(~plane))
