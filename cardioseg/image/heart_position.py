"""Position of the heart in a stack of slices, found by the network itself on a coarse grid."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.preprocessing import Floats, Preprocessing, prepare


def locate(
    slices: NDArray[np.generic],
    pixel_mm: tuple[float, float] | None,
    settings: Preprocessing,
    network: Callable[[Floats], Floats],
) -> tuple[float, float] | None:
    """The middle (row, column), in pixels, of the heart as the network segments it; None if it finds none.

    Args:
        slices: whole slices [n, h, w] of one stack.
        pixel_mm: (row, column) spacing, or None if unknown.
        settings: those of a model with a window.
        network: images [n, H, W] to logits [n, c, H, W].
    """
    images, undo = prepare(slices, pixel_mm, settings.coarse)
    return middle(undo.classes(network(images)) > 0)


def middle(heart: NDArray[np.bool_]) -> tuple[float, float] | None:
    """The median row and column of the marked pixels of masks [n, h, w]; None if they are empty.

    A median, so that a distant false spot does not shift it.
    """
    counts = heart.sum(0)
    if not counts.any():
        return None
    row, column = (int(np.searchsorted(along.cumsum(), along.sum() / 2)) for along in (counts.sum(1), counts.sum(0)))
    return float(row), float(column)
