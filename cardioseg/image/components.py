"""Connected components of a mask, found by runs: consecutive pixels along the last axis.

Same result as `scipy.ndimage.label`, whose import alone is a third of what `predict` imports.
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
        shape: shape of the mask.
        row: row of each run, among the mask's rows of pixels [-1, n].
        start: first pixel of each run.
        stop: the pixel after the last of each run.
        number: component of each run, from 0.
    """

    shape: tuple[int, ...]
    row: Numbers
    start: Numbers
    stop: Numbers
    number: Numbers

    @property
    def sizes(self) -> Numbers:
        """Number of pixels of each component."""
        return np.bincount(self.number, weights=self.stop - self.start).astype(np.intp)

    @property
    def planes(self) -> Numbers:
        """The plane [..., row, column] in which each component begins, as a flat index."""
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
    """Find the components that are connected along the last axis and others.

    Args:
        mask: of two or more dimensions.
        axes: the other axes along which neighbours are connected, from 0.
        corners: whether pixels that touch at a corner are connected, in the planes of the last axis and `axes`.
    """
    rows = mask.reshape(-1, mask.shape[-1])
    edges = np.diff(np.pad(rows, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, start), stop = np.nonzero(edges == 1), np.nonzero(edges == -1)[1]
    pairs = [_touching_pairs((row, start, stop), mask.shape, axis, int(corners)) for axis in axes]
    first_runs, second_runs = (np.concatenate(side) for side in zip(*pairs, strict=True))
    number = np.unique(_first_connected_run(len(row), first_runs, second_runs), return_inverse=True)[1]
    return Components(mask.shape, row, start, stop, number)


def _touching_pairs(runs: Sequence[Numbers], shape: tuple[int, ...], axis: int, reach: int) -> tuple[Numbers, Numbers]:
    """Every pair of touching runs in neighbouring rows along an axis."""
    row, start, stop = runs
    stride, width = prod(shape[axis + 1 : -1]), shape[-1] + 2
    runs_with_next = np.flatnonzero(row // stride % shape[axis] < shape[axis] - 1)
    next_row_offset = (row[runs_with_next] + stride) * width
    first = np.searchsorted(row * width + stop, next_row_offset + start[runs_with_next] - reach, side="right")
    end = np.searchsorted(row * width + start, next_row_offset + stop[runs_with_next] + reach, side="left")
    counts = end - first
    neighbours = np.arange(counts.sum()) + np.repeat(first - (counts.cumsum() - counts), counts)
    return np.repeat(runs_with_next, counts), neighbours


def _first_connected_run(count: int, first_runs: Numbers, second_runs: Numbers) -> Numbers:
    """For each of `count` runs, the first run that it is connected to through any number of pairs."""
    first = np.arange(count)
    while (first[first_runs] != first[second_runs]).any():
        lower = np.minimum(first[first_runs], first[second_runs])
        for side in (first_runs, second_runs):
            np.minimum.at(first, first[side], lower)
        while (first[first] != first).any():
            first = first[first]
    return first
