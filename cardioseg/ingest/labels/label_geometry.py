"""Label geometry: what the structures of a mask seem to be by how they lie. The myocardium is a ring around the LV.

On short-axis slices, the myocardium surrounds the LV cavity almost completely and touches a third of the RV cavity.
No other structure is surrounded by another one. So the structure that is surrounded is the LV cavity, the one around it
the myocardium, and a third one the RV cavity.
"""

from collections.abc import Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.labels import STRUCTURES, Label

Mask = NDArray[np.uint8]

AS_CALLED: Mapping[Label, Label] = {label: label for label in STRUCTURES}
EXCHANGED: Mapping[Label, Label] = {**AS_CALLED, Label.LV_CAVITY: Label.RV_CAVITY, Label.RV_CAVITY: Label.LV_CAVITY}

_FEWEST = 30  # pixels of a structure on a slice, below which its neighbours are not counted
_SURROUNDED = 0.65  # of an outline, the least that the wall has of the LV; ACDC, M&Ms: 0.74 to 1, all others below 0.5
_APART = 0.2  # by which the second most surrounded structure must be less so
_PAIRS = tuple(permutations(STRUCTURES, 2))  # (surrounded, around it)
_SIZE = len(Label)


def seen_meaning(labels: Mask) -> Mapping[Label, Label] | None:
    """What each structure of a mask seems to be, by most slices on which two structures are large enough.

    Args:
        labels: `Label` values (..., row, column).

    Returns:
        The structure that each one is called -> that which it seems to be; None if most slices do not tell.
    """
    slices = _cut_out(labels.reshape(-1, *labels.shape[-2:]))
    is_large = _pixels(slices)[:, STRUCTURES] >= _FEWEST
    slices = slices[is_large.sum(axis=1) > 1]
    if not len(slices):
        return None
    votes = np.bincount(_surrounded_pairs(slices), minlength=len(_PAIRS) + 1)[: len(_PAIRS)]
    if votes.max() * 2 <= len(slices):
        return None
    cavity, wall = _PAIRS[int(votes.argmax())]
    (third,) = set(STRUCTURES) - {cavity, wall}
    return {third: Label.RV_CAVITY, wall: Label.LV_MYOCARDIUM, cavity: Label.LV_CAVITY}


def is_misread(labels: Mask) -> bool | None:
    """Whether the structures seem to be others than they are called; None if this cannot be told."""
    seen = seen_meaning(labels)
    return None if seen is None else seen != AS_CALLED


def _cut_out(slices: Mask) -> Mask:
    """The slices without most of the pixels around what is drawn on any of them, to be fast."""
    drawn = slices.max(axis=0, initial=0) > 0
    rows, columns = (np.flatnonzero(drawn.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slices[:0]
    return slices[:, max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]


def _surrounded_pairs(slices: Mask) -> NDArray[np.intp]:
    """(slice,) the number in `_PAIRS` of the two structures of which one surrounds the other; past its end if none."""
    borders, pixels = _borders(slices), _pixels(slices)
    outlines = borders.sum(axis=2)
    fractions = np.zeros((len(slices), len(_PAIRS)))
    for number, (inner, outer) in enumerate(_PAIRS):
        is_large = (pixels[:, [inner, outer]] >= _FEWEST).all(axis=1)
        fractions[is_large, number] = borders[is_large, inner, outer] / outlines[is_large, inner].clip(1)
    second, first = np.sort(fractions, axis=1)[:, -2:].T
    is_clear = (first >= _SURROUNDED) & (first - second >= _APART)
    return np.where(is_clear, fractions.argmax(axis=1), len(_PAIRS))


def _pixels(slices: Mask) -> NDArray[np.intp]:
    """(slice, Label) number of pixels."""
    return np.stack([np.count_nonzero(slices == label, axis=(1, 2)) for label in Label], axis=1)


def _borders(slices: Mask) -> NDArray[np.intp]:
    """(slice, Label, Label) number of the sides of pixels of one label at which pixels of another label lie."""
    counts = np.zeros(len(slices) * _SIZE**2, np.intp)
    for ahead, behind in ((slices[:, 1:], slices[:, :-1]), (slices[:, :, 1:], slices[:, :, :-1])):
        at = np.nonzero(ahead != behind)
        counts += np.bincount((at[0] * _SIZE + ahead[at]) * _SIZE + behind[at], minlength=len(counts))
    borders = counts.reshape(-1, _SIZE, _SIZE)
    return borders + borders.transpose(0, 2, 1)
