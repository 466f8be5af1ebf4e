"""Components, against a flood fill that follows the definition pixel by pixel."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from cardioseg.image.components import component_numbers
from cardioseg.image.labels import Label
from cardioseg.results.mask_files import read_mask

few = settings(max_examples=60, deadline=None, database=None)
masks = array_shapes(min_dims=2, max_dims=4, max_side=6).flatmap(lambda shape: arrays(np.bool_, shape))


def flooded(mask: np.ndarray, corners: bool = False) -> np.ndarray:
    """Start at each pixel that has no number yet, and give its number to all that can be reached from it."""
    steps = [step for step in product((-1, 0, 1), repeat=mask.ndim) if corners or np.abs(step).sum() == 1]
    numbers, count = np.zeros(mask.shape, np.int32), 0
    for start in map(tuple, np.argwhere(mask).tolist()):
        count += not numbers[start]
        reached = [] if numbers[start] else [start]
        while reached:
            pixel = reached.pop()
            if min(pixel) >= 0 and all(np.less(pixel, mask.shape)) and mask[pixel] and not numbers[pixel]:
                numbers[pixel] = count
                reached += [tuple(np.add(pixel, step).tolist()) for step in steps]
    return numbers


@few
@given(masks)
def test_neighbours_along_all_axes(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(component_numbers(mask), flooded(mask))


@few
@given(array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(lambda shape: arrays(np.bool_, shape)))
def test_neighbours_in_a_slice_with_their_corners(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(component_numbers(mask, corners=True), flooded(mask, corners=True))


@pytest.mark.parametrize("turns", [1, 3, 40])
def test_a_long_spiral_is_one(turns: int) -> None:
    mask = np.zeros((4 * turns + 1, 4 * turns + 1), np.bool_)
    top, bottom = 0, len(mask) - 1
    while top < bottom:
        mask[top, max(top - 2, 0) : bottom + 1] = mask[top : bottom + 1, bottom] = mask[bottom, top : bottom + 1] = True
        mask[top + 2 : bottom + 1, top] = True
        top, bottom = top + 2, bottom - 2
    np.testing.assert_array_equal(component_numbers(mask), flooded(mask))


def test_nothing_has_no_components() -> None:
    assert not component_numbers(np.zeros((2, 3, 4), np.bool_)).any()


@pytest.mark.parametrize("label", [Label.RV_CAVITY, Label.LV_MYOCARDIUM])
def test_real_shapes(shared_data: Path, label: Label) -> None:
    path = next((shared_data / "acdc").rglob("*_gt.nii.gz"))
    slices = read_mask(path).voxels[0] == label
    for plane in slices:
        np.testing.assert_array_equal(component_numbers(plane, corners=True), flooded(plane, corners=True))
    np.testing.assert_array_equal(component_numbers(slices), flooded(slices))
