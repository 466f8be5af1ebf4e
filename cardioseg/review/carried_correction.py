"""Carried correction: a correction of a slice at some phases is carried on to the other phases of the beat.

Signed distance d of an outline: positive inside, in pixels. For a phase t between the corrected phases p and q,

    d_t = d(network, t) + (1 - w) [d(corrected, p) - d(network, p)] + w [d(corrected, q) - d(network, q)],

with w from 0 at p to 1 at q; the beat is taken as closed, and with one corrected phase p = q. This is done for the LV
cavity, the outer border of the LV myocardium and the RV cavity. A structure that the person removed is removed. One
that the person added where the network has none is added as it was drawn, in the phases in which the network has none.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from cardioseg.image.labels import Label
from cardioseg.image.volume import Voxels

Distance = NDArray[np.float64]
_INSIDE_LV = (Label.LV_CAVITY, Label.LV_MYOCARDIUM)
_OUTLINES: tuple[tuple[Label, ...], ...] = ((Label.LV_CAVITY,), _INSIDE_LV, (Label.RV_CAVITY,))
_MARGIN = 3  # pixels around all that is labelled


def carried(network: Voxels, corrected: Voxels) -> Voxels:
    """Carry a correction on.

    Args:
        network: `Label` values (phase, row, column) of one slice, as they were predicted.
        corrected: the same with the corrections; phases that equal the network's are those to be changed.

    Returns:
        All phases; those that were corrected are as they are. Without a correction, nothing changes.
    """
    differs = (network != corrected).any(axis=(1, 2))
    anchors = np.flatnonzero(differs).tolist()
    result: Voxels = corrected.copy()
    if not anchors:
        return result
    part = _part(np.maximum(network, corrected))
    network, cut = network[:, *part], corrected[:, *part]
    pairs = {anchor: (_distances(network[anchor]), _distances(cut[anchor])) for anchor in anchors}
    for phase in np.flatnonzero(~differs).tolist():
        here = _distances(network[phase])
        neighbours = _neighbours(phase, anchors, len(network))
        moved = [weight * _moved(here, *pairs[anchor]) for anchor, weight in neighbours]
        result[phase, *part] = _labels(np.sum(moved, axis=0))
    return result


def _part(labels: Voxels) -> tuple[slice, slice]:
    """The rows and columns around all that is labelled at any phase."""
    _, rows, columns = np.nonzero(labels)
    return tuple(slice(max(int(axis.min()) - _MARGIN, 0), int(axis.max()) + _MARGIN + 1) for axis in (rows, columns))  # type: ignore[return-value]


def _neighbours(phase: int, anchors: Sequence[int], phases: int) -> Iterator[tuple[int, float]]:
    """The corrected phases before and after a phase in the closed beat, with their weights."""
    before = max((anchor for anchor in anchors if anchor < phase), default=anchors[-1] - phases)
    after = min((anchor for anchor in anchors if anchor > phase), default=anchors[0] + phases)
    weight = (phase - before) / (after - before)
    yield before % phases, 1 - weight
    yield after % phases, weight


def _moved(here: Distance, network: Distance, corrected: Distance) -> Distance:
    """The outlines of a phase, as the correction of another phase moves them."""
    return np.stack([_moved_outline(*outlines) for outlines in zip(here, network, corrected, strict=True)])


def _moved_outline(here: Distance, network: Distance, corrected: Distance) -> Distance:
    was_there, is_there = bool((network > 0).any()), bool((corrected > 0).any())
    if was_there and not is_there:
        return corrected
    if not was_there:
        return corrected if is_there and not (here > 0).any() else here
    return here + corrected - network


def _distances(plane: Voxels) -> Distance:
    """The signed distances (outline, row, column) of the outlines, in pixels."""
    return np.stack([_signed(np.isin(plane, labels)) for labels in _OUTLINES])


def _signed(inside: NDArray[np.bool_]) -> Distance:
    """The border lies between two pixels; a structure that is not there is far away."""
    far = float(sum(inside.shape))
    if not inside.any():
        return np.full(inside.shape, -far)
    if inside.all():
        return np.full(inside.shape, far)
    signed: Distance = distance_transform_edt(inside) - distance_transform_edt(~inside)
    return signed - np.sign(signed) / 2


def _labels(distances: Distance) -> Voxels:
    """The mask (row, column) of the outlines."""
    cavity, lv, rv = distances > 0
    labels = np.zeros(cavity.shape, np.uint8)
    labels[rv] = Label.RV_CAVITY
    labels[lv] = Label.LV_MYOCARDIUM
    labels[cavity] = Label.LV_CAVITY
    return labels
