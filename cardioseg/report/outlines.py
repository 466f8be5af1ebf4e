"""Outlines: the border of a mask as lines, in pixels of the mask."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import bounding_box
from cardioseg.image.labels import Label

Points = NDArray[np.float64]  # (point, (row, column)), closed: the last point equals the first


def outlines(labels: NDArray[np.uint8], label: Label) -> Iterator[Points]:
    """The borders of a structure in one slice; row and column 0 are the centre of the first pixel.

    The myocardium has only its outer border, since its inner border is the cavity's. The steps of the pixels are
    smoothed: no point moves by more than half a pixel, and no region is lost, however small.

    Args:
        labels: `Label` values (row, column).
        label: the structure.
    """
    from skimage.measure import find_contours  # noqa: PLC0415 - slow to import

    region = _region(labels, label)
    if not region.any():
        return
    rows, columns = bounding_box(region)
    padded = np.pad(region[rows, columns].astype(np.float64), 1)
    for line in find_contours(padded, 0.5):
        yield _smoothed(line) + np.array((rows.start - 1, columns.start - 1))


def _region(labels: NDArray[np.uint8], label: Label) -> NDArray[np.bool_]:
    """The pixels inside a structure's outline; the myocardium's outline contains the cavity."""
    region = labels == label
    if label == Label.LV_MYOCARDIUM and region.any():
        region |= labels == Label.LV_CAVITY
    return np.asarray(region)


def _smoothed(closed: Points) -> Points:
    """A closed line, each point replaced twice by the mean of itself and its neighbours, weighted 2 : 1 : 1."""
    line = closed[:-1]
    for _ in range(2):
        padded = np.concatenate([line[-1:], line, line[:1]])
        line = (2 * line + padded[:-2] + padded[2:]) / 4
    return np.concatenate([line, line[:1]])
