"""Acquired slices: those of a stack that hold a picture. The network sees no others."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from cardioseg.image.volume import Cine


def acquired(cine: Cine, missing: Collection[int]) -> Cine:
    """A cine without its missing slices: what a network draws on an empty slice means nothing.

    Args:
        cine: intensities (phase, slice, row, column).
        missing: 0-based slices that were not acquired.
    """
    if not missing:
        return cine
    voxels = np.delete(cine.voxels, list(missing), axis=1)
    return Cine(voxels, replace(cine.grid, shape=voxels.shape[1:]), cine.times_ms)


def restored(mask: Cine, cine: Cine, missing: Collection[int]) -> Cine:
    """A mask of the acquired slices on the grid of all; the missing slices hold nothing."""
    if not missing:
        return mask
    voxels = np.zeros(cine.voxels.shape, mask.voxels.dtype)
    voxels[:, np.setdiff1d(np.arange(cine.grid.shape[0]), list(missing))] = mask.voxels
    return Cine(voxels, cine.grid, cine.times_ms)
