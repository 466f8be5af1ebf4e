"""Bounding box: the smallest rectangle or block that holds all of a mask."""

import numpy as np
from numpy.typing import NDArray


def extent(marked: NDArray[np.bool_]) -> slice:
    """From the first to the last of what is marked in one dimension; an empty slice where nothing is."""
    places = np.flatnonzero(marked)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """The smallest box that holds all of a mask of any dimensions: a slice an axis, empty ones for an empty mask."""
    box: list[slice] = []
    for _ in range(mask.ndim):
        box.append(extent(np.asarray(mask.any(axis=tuple(range(1, mask.ndim))))))
        mask = np.asarray(mask[box[-1]].any(axis=0))
    return tuple(box)


def in_plane_box(mask: NDArray[np.generic]) -> tuple[slice, slice]:
    """The rows and columns of a mask (phase, slice, row, column) that hold any label in any slice of any phase."""
    rows, columns = bounding_box(np.asarray(np.bitwise_or.reduce(mask, axis=(0, 1))) > 0)
    return rows, columns
