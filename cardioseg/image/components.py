"""Components: which pixels of a mask hang together."""

import numpy as np
from numpy.typing import NDArray


def component_numbers(mask: NDArray[np.bool_], corners: bool = False) -> NDArray[np.int32]:
    """Number the components of a mask from 1, in the order of their first pixels; 0 outside the mask.

    Args:
        mask: of any dimension; pixels hang together along all axes.
        corners: whether pixels do that touch only at a corner or an edge.

    Returns:
        The shape of the mask.
    """
    from scipy.ndimage import generate_binary_structure, label  # noqa: PLC0415 - slow to import

    neighbours = generate_binary_structure(mask.ndim, mask.ndim if corners else 1)
    return np.asarray(label(mask, neighbours)[0])


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest component of a mask of any dimension, connected along all its axes."""
    numbers = component_numbers(mask)
    sizes = np.bincount(numbers[mask], minlength=1)
    return np.asarray(mask & (numbers == sizes.argmax()))
