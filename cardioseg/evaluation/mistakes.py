"""Mistakes: a prediction that would agree well if its labels were swapped or its axes flipped, found and named."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from cardioseg.evaluation.pairing import Pair
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label
from cardioseg.measure.overlap import dice

_GOOD, _GAIN = 0.7, 0.2  # mean Dice as it would be, and how much more that is: no honest prediction gains that
_AXES = ("slices", "rows", "columns")

Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class Numbers:
    """How the numbers of one side's files were read.

    Attributes:
        convention: their meaning.
        option: of the command line, which gives them another one.
        of_reference: whether they are the reference's, not the prediction's.
    """

    convention: Mapping[int, Label]
    option: str
    of_reference: bool = False


def likely_mistake(pair: Pair, segmented: Collection[Label] = STRUCTURES, doubtful: Numbers | None = None) -> str:
    """What must have gone wrong with a prediction of low Dice, or nothing: `its columns look flipped: ...`.

    Args:
        pair: a prediction and its reference.
        segmented: the labels that the prediction can have; no other is missed in it, or taken for another one.
        doubtful: the numbers that were read by a convention which may be the wrong one.
    """
    known = pair.reference.annotated[:, STRUCTURES].any(axis=1)
    reference, predicted = (_only(mask[known], segmented) for mask in (pair.reference.mask, pair.predicted))
    before = _agreement(reference, predicted)
    if not predicted.any() or before > 1 - _GAIN:
        return ""
    remedies = [*_flips(predicted), *_swaps(predicted, segmented, doubtful)]
    after, what = max(((_agreement(reference, mask), what) for mask, what in remedies), key=lambda one: one[0])
    return f"{what}: Dice would be {after:.2f}, not {before:.2f}" if after >= max(_GOOD, before + _GAIN) else ""


def _only(mask: Mask, labels: Collection[Label]) -> Mask:
    return np.where(np.isin(mask, list(labels)), mask, 0).astype(np.uint8)


def _flips(predicted: Mask) -> Iterator[tuple[Mask, str]]:
    for count in range(1, len(_AXES) + 1):
        for axes in combinations(range(len(_AXES)), count):
            yield np.flip(predicted, axes), f"its {' and '.join(_AXES[axis] for axis in axes)} look flipped"


def _swaps(predicted: Mask, segmented: Collection[Label], doubtful: Numbers | None) -> Iterator[tuple[Mask, str]]:
    """Every other meaning of the labels, those that a convention knows first."""
    labels = [label for label in STRUCTURES if label in segmented]
    found = [(_hint(labels, order, doubtful), order) for order in permutations(labels) if order != tuple(labels)]
    for hint, order in sorted(found, key=lambda one: "--" not in one[0]):
        meaning = np.arange(len(Label), dtype=np.uint8)
        meaning[labels] = order
        yield meaning[predicted], f"its labels look swapped ({hint})"


def _hint(labels: Sequence[Label], order: Sequence[Label], doubtful: Numbers | None) -> str:
    """The conventions that would have read the labels as `order`, or what is what."""
    is_reference = doubtful is not None and doubtful.of_reference
    found, meant = (order, labels) if is_reference else (labels, order)  # mending one side undoes what ails the other
    meaning = dict(zip(found, meant, strict=True))
    if doubtful:
        read = {value: meaning.get(label, label) for value, label in doubtful.convention.items()}
        names = [name for name, convention in CONVENTIONS.items() if convention == read]
        if names:
            side = "the reference has labels" if is_reference else "labels"
            return f"{side} as in {' and '.join(names)}: {doubtful.option} {names[0]}"
    other = {label: actual for label, actual in zip(labels, order, strict=True) if label != actual}
    return ", ".join(f"{label.title} is {actual.title}" for label, actual in other.items())


def _agreement(reference: Mask, predicted: Mask) -> float:
    """Mean Dice over as many labels as both have: what a prediction does not draw at all is not what is swapped."""
    scores = [dice(reference == label, predicted == label) or 0.0 for label in STRUCTURES if (reference == label).any()]
    drawn = min(len(scores), len(np.unique(predicted[predicted > 0])))
    return sum(scores) / drawn if drawn else 0.0
