"""Overlap: how well two masks agree."""

import numpy as np
from numpy.typing import NDArray


def dice(reference: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float | None:
    """Dice coefficient, 2|R and P| / (|R| + |P|).

    Args:
        reference: bool, any shape.
        predicted: bool, the same shape.

    Returns:
        0 (disjoint, or only one of the masks is empty) to 1 (equal), or None where both masks are empty: there is
        nothing to agree on, so the pair is not scored and the caller counts it.

    Raises:
        ValueError: the shapes differ, or an array is not bool.
    """
    if reference.shape != predicted.shape:
        raise ValueError(f"reference {reference.shape} and predicted {predicted.shape} differ in shape")
    if reference.dtype != np.bool_ or predicted.dtype != np.bool_:
        raise ValueError(f"expected bool masks, got {reference.dtype} and {predicted.dtype}")
    total = np.count_nonzero(reference) + np.count_nonzero(predicted)
    return float(2 * np.count_nonzero(reference & predicted) / total) if total else None
