"""Outlines: the border of a mask as lines, in pixels of the mask."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import bounding_box
from cardioseg.image.labels import Label

Points = NDArray[np.float64]  # (point, (row, column)), closed: the last is the first


def outlines(labels: NDArray[np.uint8], label: Label) -> Iterator[Points]:
    """The borders of a structure in one slice; row and column 0 lie in the middle of the first pixel.

    The myocardium is outlined on its outside, as the cavity's outline is its inside. The stairs of the pixels are
    rounded off: no point moves by more than half a pixel, and no region is lost, however small.

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
        yield _rounded(line) + np.array((rows.start - 1, columns.start - 1))


def _region(labels: NDArray[np.uint8], label: Label) -> NDArray[np.bool_]:
    """The pixels inside a structure's outline: the myocardium's holds the cavity."""
    region = labels == label
    if label == Label.LV_MYOCARDIUM and region.any():
        region |= labels == Label.LV_CAVITY
    return np.asarray(region)


def _rounded(closed: Points) -> Points:
    """Each point of a closed line at the mean of itself and its neighbours', weighted 2 : 1 : 1, twice."""
    line = closed[:-1]
    for _ in range(2):
        round_it = np.concatenate([line[-1:], line, line[:1]])
        line = (2 * line + round_it[:-2] + round_it[2:]) / 4
    return np.concatenate([line, line[:1]])
