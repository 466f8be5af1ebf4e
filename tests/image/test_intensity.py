from itertools import product
from typing import get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cardioseg.image.intensity import Intensity, percentiles_of_integers, scale_intensity

few = settings(max_examples=30, deadline=None, database=None)


@few
@given(
    st.sampled_from(["u1", "i1", "<i2", ">i2", "u2"]).flatmap(lambda kind: arrays(kind, (7, 9))),
    st.tuples(st.floats(0, 100), st.floats(0, 100)),
)
def test_counting_gives_the_very_percentiles_of_numpy(values: np.ndarray, percents: tuple[float, float]) -> None:
    expected = np.percentile(values.astype(np.float32), percents)
    np.testing.assert_array_equal(percentiles_of_integers(values, percents), expected)


def test_counted_or_sorted_the_scale_is_the_same() -> None:
    slices = np.random.default_rng(1).integers(-(2**15), 2**15, (2, 50, 40)).astype(np.int16)
    np.testing.assert_array_equal(
        scale_intensity(slices, "percentile"), scale_intensity(slices.astype(np.float32), "percentile")
    )


def test_of_a_box_the_scale_is_that_of_the_whole_slice() -> None:
    slices = np.random.default_rng(1).integers(0, 900, (2, 50, 40)).astype(np.int16)
    box = slice(3, 20), slice(10, 11)
    for values, method in product((slices, slices.astype(np.float64)), get_args(Intensity)):
        np.testing.assert_array_equal(scale_intensity(values, method, box), scale_intensity(values, method)[:, *box])
