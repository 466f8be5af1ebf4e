"""Overlap: how much of two masks is the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Overlap:
    """Voxel counts of a pair of masks, and what follows from them.

    Counts of slices add up to those of their volume, `sum(slices, Overlap())`. Every score is between 0 and 1, and None
    where it is undefined: there is nothing to agree on, so the pair is not scored and the caller counts it.

    Attributes:
        reference: |R|.
        predicted: |P|.
        both: |R and P|.
    """

    reference: int = 0
    predicted: int = 0
    both: int = 0

    def __add__(self, other: "Overlap") -> "Overlap":
        return Overlap(self.reference + other.reference, self.predicted + other.predicted, self.both + other.both)

    @property
    def dice(self) -> float | None:
        """Dice coefficient, 2|R and P| / (|R| + |P|); None where both masks are empty."""
        return _ratio(2 * self.both, self.reference + self.predicted)

    @property
    def jaccard(self) -> float | None:
        """Jaccard index, |R and P| / |R or P|; None where both masks are empty."""
        return _ratio(self.both, self.reference + self.predicted - self.both)

    @property
    def sensitivity(self) -> float | None:
        """Part of the reference that was found, |R and P| / |R|; None where the reference is empty."""
        return _ratio(self.both, self.reference)

    @property
    def precision(self) -> float | None:
        """Part of the prediction that is right, |R and P| / |P|; None where the prediction is empty."""
        return _ratio(self.both, self.predicted)


def overlap(reference: Mask, predicted: Mask) -> Overlap:
    """Count a pair of masks.

    Args:
        reference: bool, any shape.
        predicted: bool, the same shape.

    Raises:
        ValueError: the shapes differ, or an array is not bool.
    """
    check_pair(reference, predicted)
    counts = (np.count_nonzero(mask) for mask in (reference, predicted, reference & predicted))
    return Overlap(*(int(count) for count in counts))


def dice(reference: Mask, predicted: Mask) -> float | None:
    """Dice coefficient of two bool masks of one shape: 0 (disjoint) to 1 (equal), or None where both are empty.

    Raises:
        ValueError: the shapes differ, or an array is not bool.
    """
    return overlap(reference, predicted).dice


def check_pair(reference: Mask, predicted: Mask) -> None:
    """Refuse what is no pair of masks, before numpy broadcasts it.

    Raises:
        ValueError: the shapes differ, or an array is not bool.
    """
    if reference.shape != predicted.shape:
        raise ValueError(f"reference {reference.shape} and predicted {predicted.shape} differ in shape")
    if reference.dtype != np.bool_ or predicted.dtype != np.bool_:
        raise ValueError(f"expected bool masks, got {reference.dtype} and {predicted.dtype}")


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
