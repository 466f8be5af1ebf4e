"""Mistakes: a prediction that would agree well if its labels were swapped or its axes flipped, found and named."""

from collections.abc import Iterator
from itertools import combinations, permutations
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from cardioseg.evaluation.pairing import Pair
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label
from cardioseg.measure.overlap import dice

_GOOD, _GAIN = 0.7, 0.2  # mean Dice as it would be, and how much more that is: no honest prediction gains that
_AXES = ("slices", "rows", "columns")

Mask = NDArray[np.uint8]


def likely_mistake(pair: Pair) -> str:
    """What must have gone wrong with a prediction of low Dice, or nothing: `its columns look flipped: ...`."""
    known = pair.reference.annotated[:, STRUCTURES].any(axis=1)
    reference, predicted = pair.reference.mask[known], pair.predicted[known]
    before = _mean_dice(reference, predicted)
    if before > 1 - _GAIN:
        return ""
    after, what = max(((_mean_dice(reference, mask), what) for mask, what in _remedies(predicted)), default=(0.0, ""))
    return f"{what}: Dice would be {after:.2f}, not {before:.2f}" if after >= max(_GOOD, before + _GAIN) else ""


def _remedies(predicted: Mask) -> Iterator[tuple[Mask, str]]:
    for count in range(1, len(_AXES) + 1):
        for axes in combinations(range(len(_AXES)), count):
            yield np.flip(predicted, axes), f"its {' and '.join(_AXES[axis] for axis in axes)} look flipped"
    for order in permutations(STRUCTURES):
        if order != STRUCTURES:
            meaning = np.array([Label.BACKGROUND, *order], np.uint8)
            yield meaning[predicted], f"its labels look swapped{_as_convention(order)}"


def _as_convention(order: tuple[Label, ...]) -> str:
    names = [name for name, known in CONVENTIONS.items() if tuple(known[value] for value in STRUCTURES) == order]
    if names:
        return f" (labels as in {' and '.join(names)}: --predicted-labels {names[0]})"
    return " ({})".format(", ".join(f"{value} is {label.title}" for value, label in enumerate(order, 1)))


def _mean_dice(reference: Mask, predicted: Mask) -> float:
    scores = (dice(reference == label, predicted == label) for label in STRUCTURES if (reference == label).any())
    return fmean([score or 0.0 for score in scores] or [1.0])
