"""Outlines: where the mask ends, half a pixel at most away from it, and never lost."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from cardioseg.image.labels import Label
from cardioseg.report.outlines import outlines

MASKS = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0, 3]))


def distances_to_border(labels: NDArray[Any], line: NDArray[Any]) -> NDArray[Any]:
    """Of each point, from the nearest edge between a pixel inside and one outside."""
    padded = np.pad(labels > 0, 1)
    down = [(r - 0.5, c, 0) for r, c in np.argwhere(padded[1:] != padded[:-1])]
    right = [(r, c - 0.5, 1) for r, c in np.argwhere(padded[:, 1:] != padded[:, :-1])]
    edges = np.array([(r, c - 1, along) if along == 0 else (r - 1, c, along) for r, c, along in down + right])
    off = np.abs(line[:, None] - edges[None, :, :2])
    off[..., 1][:, edges[:, 2] == 0] = np.maximum(off[..., 1][:, edges[:, 2] == 0] - 0.5, 0)
    off[..., 0][:, edges[:, 2] == 1] = np.maximum(off[..., 0][:, edges[:, 2] == 1] - 0.5, 0)
    return np.asarray(np.hypot(off[..., 0], off[..., 1]).min(axis=1))


@given(MASKS)
def test_no_point_is_further_than_half_a_pixel_from_the_border(labels: NDArray[Any]) -> None:
    lines = list(outlines(labels, Label.LV_CAVITY))
    assert bool(lines) == bool(labels.any())
    for line in lines:
        assert (line[0] == line[-1]).all()
        assert distances_to_border(labels, line).max() <= 0.5


@pytest.mark.parametrize("radius", [4, 9, 25])
def test_the_area_inside_is_that_of_the_mask(radius: int) -> None:
    row, column = np.mgrid[:60, :60]
    labels = np.where(np.hypot(row - 30, column - 29) < radius, Label.LV_CAVITY, 0).astype(np.uint8)
    [line] = outlines(labels, Label.LV_CAVITY)
    y, x = line.T
    area = abs(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2
    assert area == pytest.approx((labels > 0).sum(), rel=0.06 if radius < 9 else 0.02)
    assert line[:-1].mean(axis=0) == pytest.approx((30, 29), abs=0.05)


def test_the_myocardium_is_outlined_outside_and_only_where_there_is_one() -> None:
    labels = np.zeros((9, 9), np.uint8)
    labels[1:8, 1:8], labels[3:6, 3:6] = Label.LV_MYOCARDIUM, Label.LV_CAVITY
    [line] = outlines(labels, Label.LV_MYOCARDIUM)
    assert line.min() == pytest.approx(0.5, abs=0.1)
    labels[labels == Label.LV_MYOCARDIUM] = 0
    assert list(outlines(labels, Label.LV_MYOCARDIUM)) == []
