"""The components are SciPy's, in SciPy's order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import generate_binary_structure, label

from cardioseg.image.components import find_components

few = settings(max_examples=60, deadline=None, database=None)
masks = array_shapes(min_dims=2, max_dims=4, max_side=7).flatmap(lambda shape: arrays(np.bool_, shape))


def require_alike(mask: np.ndarray, found: object, structure: np.ndarray) -> None:
    expected, count = label(mask, structure)
    assert len(found.sizes) == count
    np.testing.assert_array_equal(found.sizes, np.bincount(expected.ravel(), minlength=count + 1)[1:])
    for number in range(count):
        np.testing.assert_array_equal(found.mask(number), expected == number + 1)


@few
@given(masks)
def test_neighbours_along_all_axes(mask: np.ndarray) -> None:
    require_alike(mask, find_components(mask, range(mask.ndim - 1)), generate_binary_structure(mask.ndim, 1))


@few
@given(array_shapes(min_dims=4, max_dims=4, max_side=6).flatmap(lambda shape: arrays(np.bool_, shape)))
def test_neighbours_in_a_slice_with_their_corners(mask: np.ndarray) -> None:
    in_slice = np.zeros((3, 3, 3, 3))
    in_slice[1, 1] = 1
    found = find_components(mask, (2,), corners=True)
    require_alike(mask, found, in_slice)
    planes = [int(np.flatnonzero(found.mask(number).any((2, 3)).ravel())[0]) for number in range(len(found.sizes))]
    assert found.planes.tolist() == planes


@pytest.mark.parametrize("turns", [1, 3, 40])
def test_a_long_spiral_is_one(turns: int) -> None:
    mask = np.zeros((4 * turns + 1, 4 * turns + 1), np.bool_)
    top, bottom = 0, len(mask) - 1
    while top < bottom:
        mask[top, max(top - 2, 0) : bottom + 1] = mask[top : bottom + 1, bottom] = mask[bottom, top : bottom + 1] = True
        mask[top + 2 : bottom + 1, top] = True
        top, bottom = top + 2, bottom - 2
    found = find_components(mask, (0,))
    assert len(found.sizes) == label(mask)[1]
    assert found.sizes.sum() == mask.sum()


def test_nothing_has_no_components() -> None:
    found = find_components(np.zeros((2, 3, 4), np.bool_), (0, 1))
    assert (len(found.sizes), len(found.planes)) == (0, 0)
