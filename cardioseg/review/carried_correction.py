"""Carried correction: a correction of a slice at some phases is carried on to the other phases of the beat.

Signed distance d of an outline: positive inside, in pixels. The correction of phase p moves the network's outline at
phase t by as much as it moved that at p, but never beyond the outline c that the person drew:

    m_p(t) = d(network, t) + d(c) - d(network, p), between d(network, t) and d(c).

Between two corrected phases p and q, d_t = (1 - w) m_p(t) + w m_q(t), with w from 0 at p to 1 at q; the beat is taken
as closed. Phases that a person has seen and left as they are count as corrected by nothing. This is done for the LV
cavity, the outer border of the LV myocardium and the RV cavity. A structure that the person removed is removed as far
as halfway to the next such phase. One that the person added is added as far, where the network has none.
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from cardioseg.image.labels import Label
from cardioseg.image.volume import Voxels

Distance = NDArray[np.float64]
Neighbour = tuple[float, Distance, Distance]  # weight, the network's outlines at this phase, the person's
_INSIDE_LV = (Label.LV_CAVITY, Label.LV_MYOCARDIUM)
_OUTLINES: tuple[tuple[Label, ...], ...] = ((Label.LV_CAVITY,), _INSIDE_LV, (Label.RV_CAVITY,))
_HALFWAY = 0.5  # of the way from one corrected phase to the next
_MARGIN = 3  # pixels around all that is labelled


def carried(network: Voxels, corrected: Voxels, seen: Collection[int] = ()) -> Voxels:
    """Carry a correction on.

    Args:
        network: `Label` values (phase, row, column) of one slice, as they were predicted.
        corrected: the same with the corrections.
        seen: phases that a person has seen; where they equal the network's, they are right.

    Returns:
        All phases; those that were corrected or seen are as they are. Without a correction, nothing changes.
    """
    differs = (network != corrected).any(axis=(1, 2))
    result: Voxels = corrected.copy()
    if not differs.any():
        return result
    anchors = sorted({*np.flatnonzero(differs).tolist(), *seen})
    part = _part(np.maximum(network, corrected))
    network, cut = network[:, *part], corrected[:, *part]
    before = {anchor: _distances(network[anchor]) for anchor in anchors}
    after = {anchor: _distances(cut[anchor]) for anchor in anchors}
    for phase in sorted({*range(len(network))} - {*anchors}):
        neighbours = [
            (weight, before[anchor], after[anchor]) for anchor, weight in _neighbours(phase, anchors, len(network))
        ]
        result[phase, *part] = _labels(_carried_on(_distances(network[phase]), neighbours))
    return result


def _carried_on(here: Distance, neighbours: Sequence[Neighbour]) -> Distance:
    """The outlines (outline, row, column) of a phase, as the corrections of its neighbours move them."""
    return np.stack(
        [
            _outline(outline, [(weight, network[index], drawn[index]) for weight, network, drawn in neighbours])
            for index, outline in enumerate(here)
        ]
    )


def _outline(here: Distance, neighbours: Sequence[Neighbour]) -> Distance:
    """One outline: added or removed with its nearer neighbour, or moved by both."""
    replaced = [neighbour for neighbour in neighbours if _is_replaced(here, *neighbour[1:])]
    if sum(weight for weight, *_ in replaced) > _HALFWAY:
        return replaced[0][2]
    moved = [weight * _moved(here, network, drawn) for weight, network, drawn in neighbours]
    return np.asarray(np.sum(moved, axis=0))


def _is_replaced(here: Distance, network: Distance, drawn: Distance) -> bool:
    """Whether the person removed the structure, or added it where this phase has none either."""
    was_there, is_there = _is_there(network), _is_there(drawn)
    return was_there and not is_there if was_there else is_there and not _is_there(here)


def _moved(here: Distance, network: Distance, drawn: Distance) -> Distance:
    if not (_is_there(here) and _is_there(network) and _is_there(drawn)):
        return here
    return np.clip(here + drawn - network, np.minimum(here, drawn), np.maximum(here, drawn))


def _is_there(distance: Distance) -> bool:
    return bool((distance > 0).any())


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
