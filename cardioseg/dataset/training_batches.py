"""Batches: the augmented batch of any step of any epoch, without hidden state.

The batch of step i of epoch e depends only on (seed, fold, e, i), so a run can resume at any step and repeats exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cardioseg.dataset.augmentation import Augmentation, draw
from cardioseg.dataset.augmented_slices import Look, render
from cardioseg.dataset.slices import Slices

_ZOOMED = 0.75  # fraction of looks through the window; the others teach the network to find the heart


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
        pairs = len(self.slices) * len(self.augmentation.angles.degrees)
        return max(1, round(pairs * self.augmentation.grid_fraction) // self.batch_size)

    def order(self) -> NDArray[np.int64]:
        """The (image, angle) pairs of the epoch as flat indices, [steps, batch_size]."""
        pairs = len(self.slices) * len(self.augmentation.angles.degrees)
        drawn = np.random.default_rng(self.key).permutation(pairs)
        return np.resize(drawn, (self.steps, self.batch_size))

    def batch(self, pairs: Sequence[int] | NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Augmented images [b, 1, h, w] float32 and targets [b, h, w] int64 of some (image, angle) pairs."""
        return render(self.slices, [self._look(int(pair)) for pair in pairs])

    def _look(self, pair: int) -> Look:
        index, angle = divmod(pair, len(self.augmentation.angles.degrees))
        rng = np.random.default_rng([*self.key, pair])
        variation = draw(self.augmentation, self.augmentation.angles.degrees[angle], rng)
        slices, finer, hearts = self.slices, self.slices.finer, self.slices.hearts
        if slices.window:
            return Look(index, variation.zoomed(slices.window / slices.images.shape[-1], np.zeros(2)))
        if finer is None or hearts is None or rng.random() >= _ZOOMED:
            return Look(index, variation)
        fraction = slices.look_size / finer.images.shape[-1]
        return Look(index, variation.zoomed(fraction, hearts[index]), is_windowed=True)
