"""Batches: the augmented batch of any step of any epoch, without hidden state.

The batch of step i of epoch e depends only on (seed, fold, e, i), so a run can resume at any step and repeats exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cardioseg.dataset.augmentation import Augmentation, draw
from cardioseg.dataset.augmented_slices import Look, render
from cardioseg.dataset.slices import Slices
from cardioseg.image.window import Window

_WINDOWED = 0.75  # fraction of looks through the window; the others teach the network to find the heart


@dataclass(frozen=True)
class Epoch:
    """One epoch: every (image, angle) once, in random order, or a random part of that.

    Attributes:
        slices: the training slices.
        augmentation: their augmentation.
        batch_size: images per step.
        key: (seed, fold, epoch), from which all randomness derives.
    """

    slices: Slices
    augmentation: Augmentation
    batch_size: int
    key: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Number of full batches."""
        return max(1, round(self._pairs * self.augmentation.grid_fraction) // self.batch_size)

    def order(self) -> NDArray[np.int64]:
        """The (image, angle) pairs of the epoch as flat indices, [steps, batch_size]; those of a batch have one size.

        Without windows of several sizes, no pair is repeated before all have come.
        """
        drawn = np.random.default_rng(self.key).permutation(self._pairs)
        sizes = self._sizes[drawn]
        batches = []
        for size in set(sizes.tolist()):
            places = np.flatnonzero(sizes == size)
            places = np.resize(places, (max(1, -(-len(places) // self.batch_size)), self.batch_size))
            batches += places.tolist()
        return np.resize(drawn[sorted(batches)], (self.steps, self.batch_size))

    def batch(self, pairs: Sequence[int] | NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Augmented images [b, 1, h, w] float32 and targets [b, h, w] int64 of (image, angle) pairs of one size."""
        return render(self.slices, [self._look(int(pair)) for pair in pairs])

    @property
    def _pairs(self) -> int:
        return len(self.slices) * len(self.augmentation.angles.degrees)

    @cached_property
    def _is_coarse(self) -> NDArray[np.bool_]:
        """Of each pair, whether its look shows the coarse slice."""
        drawn = np.random.default_rng([*self.key, self._pairs]).random(self._pairs)
        return np.asarray((drawn >= _WINDOWED) & (self.slices.coarse is not None))

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        """Of each pair, the size of its look."""
        slices = self.slices
        sizes = [window.size for window in slices.windows] or [slices.size] * len(slices)
        of_pairs = np.repeat(sizes, len(self.augmentation.angles.degrees))
        return np.where(self._is_coarse, slices.coarse.size, of_pairs) if slices.coarse else of_pairs

    def _look(self, pair: int) -> Look:
        index, angle = divmod(pair, len(self.augmentation.angles.degrees))
        rng = np.random.default_rng([*self.key, pair])
        variation = draw(self.augmentation, self.augmentation.angles.degrees[angle], rng)
        size, is_coarse = int(self._sizes[pair]), bool(self._is_coarse[pair])
        if self.slices.windows and not is_coarse:
            variation = variation.zoomed(size / self.slices.size, self._middle(self.slices.windows[index]))
        return Look(index, variation, size, is_coarse)

    def _middle(self, window: Window) -> NDArray[np.float64]:
        """The centre (column, row) of a window, from -1 to 1 over a slice."""
        if window.middle is None:
            return np.zeros(2)
        return (np.array(window.middle[::-1]) + 0.5) / self.slices.size * 2 - 1
