"""Components: which pixels of a mask hang together, found by runs: pixels side by side along the last axis.

As `scipy.ndimage.label`, whose import alone is a third of what `predict` imports.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Components:
    """The components of a mask, in the order of their first pixels.

    Attributes:
        shape: of the mask.
        row: of each run, among the mask's rows of pixels [-1, n].
        start: its first pixel.
        stop: the one behind its last.
        number: the component that it is part of, from 0.
    """

    shape: tuple[int, ...]
    row: Numbers
    start: Numbers
    stop: Numbers
    number: Numbers

    @property
    def sizes(self) -> Numbers:
        """Pixels of each component."""
        return np.bincount(self.number, weights=self.stop - self.start).astype(np.intp)

    @property
    def planes(self) -> Numbers:
        """The plane [..., row, column] in which each component begins, counted through."""
        first = np.unique(self.number, return_index=True)[1]
        return np.asarray(self.row[first] // self.shape[-2])

    def mask(self, number: int) -> Mask:
        """The pixels of one component."""
        chosen, (*_, n) = self.number == number, self.shape
        steps = np.zeros((prod(self.shape[:-1]), n + 1), np.int8)
        steps[self.row[chosen], self.start[chosen]] = 1
        steps[self.row[chosen], self.stop[chosen]] = -1
        return np.asarray(np.add.accumulate(steps, axis=1, dtype=np.int8)[:, :n].reshape(self.shape) > 0)


def find_components(mask: Mask, axes: Collection[int], corners: bool = False) -> Components:
    """Find what hangs together along the last axis and others.

    Args:
        mask: of any dimension from two.
        axes: the others along which neighbours hang together, counted from 0.
        corners: whether pixels do that touch at a corner, in the planes of the last axis and these.
    """
    rows = mask.reshape(-1, mask.shape[-1])
    edges = np.diff(np.pad(rows, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, start), stop = np.nonzero(edges == 1), np.nonzero(edges == -1)[1]
    pairs = [_touching((row, start, stop), mask.shape, axis, int(corners)) for axis in axes]
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    number = np.unique(_joined(len(row), one, other), return_inverse=True)[1]
    return Components(mask.shape, row, start, stop, number)


def _touching(runs: Sequence[Numbers], shape: tuple[int, ...], axis: int, reach: int) -> tuple[Numbers, Numbers]:
    """Every pair of runs that touch, one of them the other's next along an axis."""
    row, start, stop = runs
    stride, width = prod(shape[axis + 1 : -1]), shape[-1] + 2
    here = np.flatnonzero(row // stride % shape[axis] < shape[axis] - 1)
    beside = (row[here] + stride) * width
    first = np.searchsorted(row * width + stop, beside + start[here] - reach, side="right")
    behind = np.searchsorted(row * width + start, beside + stop[here] + reach, side="left")
    counts = behind - first
    others = np.arange(counts.sum()) + np.repeat(first - (counts.cumsum() - counts), counts)
    return np.repeat(here, counts), others


def _joined(count: int, one: Numbers, other: Numbers) -> Numbers:
    """For each of `count` runs the first that it hangs together with, over any number of pairs."""
    first = np.arange(count)
    while (first[one] != first[other]).any():
        lower = np.minimum(first[one], first[other])
        for side in (one, other):
            np.minimum.at(first, first[side], lower)
        while (first[first] != first).any():
            first = first[first]
    return first
