"""Undo: the way back from what a network says of its own pixels to the scanner's."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Undo:
    """Logits [n, c, H, W] become logits or classes on slices of h x w pixels.

    Attributes:
        inside: logits to logits [n, c, bottom - top, right - left] on the rectangle of the slices that they say
            something of.
        box: that rectangle, rows and columns; what lies outside has logits of zero, which is background.
        shape: (h, w) of the slices.
    """

    inside: Callable[[Floats], Floats]
    box: tuple[slice, slice]
    shape: tuple[int, int]

    def __call__(self, logits: Floats) -> Floats:
        """Logits [n, c, h, w]."""
        inside = self.inside(logits)
        whole = np.zeros((*inside.shape[:-2], *self.shape), np.float32)
        whole[..., *self.box] = inside
        return whole

    def classes(self, logits: Floats) -> NDArray[np.uint8]:
        """The class of each pixel [n, h, w]: that of the largest logit, of equal ones the first."""
        whole = np.zeros((len(logits), *self.shape), np.uint8)
        whole[:, *self.box] = largest(self.inside(logits))
        return whole


def largest(logits: Floats) -> NDArray[np.uint8]:
    """The index of the largest of axis 1, of equal ones the first: `argmax(1)` in a tenth of its time."""
    best = logits[:, 0].copy()
    index = np.zeros(best.shape, np.uint8)
    for number in range(1, logits.shape[1]):
        np.copyto(index, np.uint8(number), where=logits[:, number] > best)
        np.maximum(best, logits[:, number], out=best)
    return index
