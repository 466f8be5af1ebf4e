"""Mistakes: finds predictions that would agree well if their labels were swapped or their axes flipped."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from cardioseg.evaluation.pairing import Pair
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention, Label
from cardioseg.ingest.labels.label_geometry import AS_CALLED, EXCHANGED, is_misread, seen_meaning
from cardioseg.measure.overlap import dice

_GOOD, _GAIN = 0.7, 0.2  # mean Dice after the correction, and its gain: a correct prediction never gains so much
_AXES = ("slices", "rows", "columns")

Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class DoubtfulConvention:
    """A convention by which the label numbers of one side were read, and which may be the wrong one.

    Attributes:
        convention: the meaning of the numbers.
        option: the option of the command line that chooses another convention.
        is_reference: whether it is the reference's convention, not the prediction's.
    """

    convention: Convention
    option: str
    is_reference: bool = False


def likely_mistake(
    pair: Pair, segmented: Collection[Label] = STRUCTURES, doubtful: Sequence[DoubtfulConvention] = ()
) -> str:
    """The likely mistake in a prediction of low Dice, such as `its columns look flipped: ...`, or "".

    If the structures are exchanged in both masks, Dice is high, but each value stands for another structure: this is a
    mistake, too. If only one mask looks exchanged, or one of them looks right, the mistake names the option of the side
    that is wrong; the myocardium surrounds the LV cavity. If the masks do not tell, it names the options of both sides.

    Args:
        pair: a prediction and its reference.
        segmented: the labels that the prediction can have; all other labels are ignored.
        doubtful: the conventions that may be wrong, at most one of each side; none if there is no doubt.
    """
    annotated = pair.reference.annotated[:, STRUCTURES].any(axis=1)
    reference, predicted = (_with_only(mask[annotated], segmented) for mask in (pair.reference.mask, pair.predicted))
    if len(doubtful) > 1 and (seen := seen_meaning(reference)) and seen == seen_meaning(predicted) != AS_CALLED:
        return _both_exchanged(doubtful, seen)
    before = _agreement(reference, predicted)
    if not predicted.any() or before > 1 - _GAIN:
        return ""
    suspects = _suspects(reference, predicted, doubtful)
    corrections = [*_flips(predicted), *_swaps(predicted, segmented, suspects)]
    scored = ((_agreement(reference, mask), mistake) for mask, mistake in corrections)
    after, mistake = max(scored, key=lambda correction: correction[0])
    return f"{mistake}: Dice would be {after:.2f}, not {before:.2f}" if after >= max(_GOOD, before + _GAIN) else ""


def _with_only(mask: Mask, labels: Collection[Label]) -> Mask:
    return np.where(np.isin(mask, list(labels)), mask, 0).astype(np.uint8)


def _both_exchanged(doubtful: Sequence[DoubtfulConvention], seen: Mapping[Label, Label]) -> str:
    options = [(suspect.option, _names(suspect, seen)) for suspect in doubtful]
    remedy = " ".join(f"{option} {names[0]}" for option, names in options if names)
    what = "both masks have LV and RV exchanged (the myocardium lies around the RV cavity)"
    if seen != EXCHANGED:
        what = f"both masks have structures exchanged ({_listed(seen)})"
    return f"{what}: {remedy or 'change the numbers of their labels'}"


def _suspects(reference: Mask, predicted: Mask, doubtful: Sequence[DoubtfulConvention]) -> Sequence[DoubtfulConvention]:
    """The conventions that may be wrong, without those of a mask whose cavities are where they should be."""
    masks = {True: reference, False: predicted}
    suspects = [suspect for suspect in doubtful if is_misread(masks[suspect.is_reference]) is not False]
    exchanged = [suspect for suspect in suspects if is_misread(masks[suspect.is_reference])]
    return exchanged or suspects or doubtful


def _flips(predicted: Mask) -> Iterator[tuple[Mask, str]]:
    for count in range(1, len(_AXES) + 1):
        for axes in combinations(range(len(_AXES)), count):
            yield np.flip(predicted, axes), f"its {' and '.join(_AXES[axis] for axis in axes)} look flipped"


def _swaps(
    predicted: Mask, segmented: Collection[Label], suspects: Sequence[DoubtfulConvention]
) -> Iterator[tuple[Mask, str]]:
    """Every other order of the labels, those of a known convention first."""
    labels = [label for label in STRUCTURES if label in segmented]
    hints = [(_hint(labels, order, suspects), order) for order in permutations(labels) if order != tuple(labels)]
    for hint, order in sorted(hints, key=lambda swap: "--" not in swap[0]):
        meaning = np.arange(len(Label), dtype=np.uint8)
        meaning[labels] = order
        yield meaning[predicted], f"its labels look swapped ({hint})"


def _hint(labels: Sequence[Label], order: Sequence[Label], suspects: Sequence[DoubtfulConvention]) -> str:
    """The conventions by which the labels would have been read as `order`, or which label is which."""
    hints: list[str] = []
    for suspect in suspects:
        read_as, meant = (order, labels) if suspect.is_reference else (labels, order)  # opposite corrections
        if names := _names(suspect, dict(zip(read_as, meant, strict=True))):
            side = "the reference has labels" if suspect.is_reference else "labels"
            hints.append(f"{side} as in {' and '.join(names)}: {suspect.option} {names[0]}")
    return "; or ".join(hints) or _listed(dict(zip(labels, order, strict=True)))


def _listed(meaning: Mapping[Label, Label]) -> str:
    """Which labels are which others."""
    swapped = {label: actual for label, actual in meaning.items() if label != actual}
    return ", ".join(f"{label.title} is {actual.title}" for label, actual in swapped.items())


def _names(suspect: DoubtfulConvention, meaning: Mapping[Label, Label]) -> list[str]:
    """The conventions in which the numbers mean what `meaning` makes of their labels."""
    corrected = {value: meaning.get(label, label) for value, label in suspect.convention.items()}
    return [name for name, convention in CONVENTIONS.items() if convention == corrected]


def _agreement(reference: Mask, predicted: Mask) -> float:
    """Mean Dice over as many labels as both masks have: a label that is nowhere in the prediction cannot be swapped."""
    scores = [dice(reference == label, predicted == label) or 0.0 for label in STRUCTURES if (reference == label).any()]
    drawn = min(len(scores), len(np.unique(predicted[predicted > 0])))
    return sum(scores) / drawn if drawn else 0.0
