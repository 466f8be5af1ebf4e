"""The smallest box around a mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from cardioseg.image.bounding_box import bounding_box, extent, in_plane_box

few = settings(max_examples=50, deadline=None, database=None)
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
masks = shapes.flatmap(lambda shape: arrays(np.bool_, shape))


@few
@given(masks)
def test_the_box_is_the_smallest_that_holds_all(mask: NDArray[np.bool_]) -> None:
    box = bounding_box(mask)
    assert mask[box].sum() == mask.sum()
    if mask.any():
        assert [(side.start, side.stop) for side in box] == [(int(p.min()), int(p.max()) + 1) for p in mask.nonzero()]
    else:
        assert box == (slice(0, 0),) * mask.ndim


@pytest.mark.parametrize(("marked", "expected"), [([0, 0, 0], (0, 0)), ([0, 1, 0], (1, 2)), ([1, 0, 1], (0, 3))])
def test_the_extent_goes_from_the_first_to_the_last(marked: list[int], expected: tuple[int, int]) -> None:
    found = extent(np.array(marked, np.bool_))
    assert (found.start, found.stop) == expected


def test_rows_and_columns_of_any_label_in_any_slice_and_phase() -> None:
    mask = np.zeros((2, 3, 6, 7), np.uint8)
    mask[0, 2, 4, 1], mask[1, 0, 2, 5] = 1, 2
    assert in_plane_box(mask) == (slice(2, 5), slice(1, 6))
    assert mask[:, :, *in_plane_box(np.zeros_like(mask))].size == 0
