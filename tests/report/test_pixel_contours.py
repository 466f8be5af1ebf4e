"""Pixel contours: one contour around each part, exactly the area of its pixels, holes left out."""

from typing import Any

import numpy as np
import pytest
from skimage.draw import polygon2mask
from skimage.measure import label

from cardioseg.report.pixel_contours import pixel_contours


def area(points: Any) -> float:
    rows, columns = points.T
    return abs(float(rows @ np.roll(columns, -1) - columns @ np.roll(rows, -1))) / 2


def test_one_pixel_is_a_square_around_its_centre() -> None:
    (contour,) = pixel_contours(np.array([[False, False], [False, True]]))
    assert contour.tolist() == [[0.5, 0.5], [0.5, 1.5], [1.5, 1.5], [1.5, 0.5]]


def test_nothing_has_no_contour() -> None:
    assert not list(pixel_contours(np.zeros((4, 3), np.bool_)))


def test_a_ring_is_one_contour_with_a_channel() -> None:
    ring = np.ones((5, 5), np.bool_)
    ring[2, 2] = False
    (contour,) = pixel_contours(ring)
    corners = contour.tolist()
    assert area(contour) == 24
    assert corners.count([-0.5, 1.5]) == 2  # where the channel begins
    assert sorted({*map(tuple, corners)}) == sorted(
        [
            (-0.5, -0.5),
            (-0.5, 1.5),
            (-0.5, 4.5),
            (4.5, -0.5),
            (4.5, 4.5),
            (1.5, 1.5),
            (1.5, 2.5),
            (2.5, 1.5),
            (2.5, 2.5),
        ]
    )


@pytest.mark.parametrize("seed", range(60))
def test_any_region(seed: int) -> None:
    rng = np.random.default_rng(seed)
    region = rng.random(rng.integers(1, 20, 2)) < rng.uniform(0.1, 0.95)
    contours = list(pixel_contours(region))
    assert len(contours) == label(region, connectivity=1).max()
    assert sum(map(area, contours)) == pytest.approx(region.sum())
    inside = np.zeros_like(region)
    for contour in contours:
        inside ^= polygon2mask(region.shape, contour)
    assert np.array_equal(inside, region)
