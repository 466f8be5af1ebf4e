"""What tells labels and probabilities from intensities."""

import numpy as np
import pytest

from cardioseg.image.map_detection import holds_few_values, may_be_probabilities

RNG = np.random.default_rng(0)
SCAN = RNG.integers(1, 300, (4, 20, 20))
SCALED = SCAN / 300


def masked(voxels: np.ndarray, share: float) -> np.ndarray:
    return np.where(np.arange(voxels.size).reshape(voxels.shape) < share * voxels.size, 0, voxels)


@pytest.mark.parametrize("scale", [1, 0.44, 0.873, 1e-7, 85, -1])
@pytest.mark.parametrize("count", [2, 4, 18, 20])
def test_few_values(count: int, scale: float) -> None:
    assert holds_few_values((SCAN % count) * scale)


def test_many_values_or_one_are_no_labels() -> None:
    assert not holds_few_values(SCAN % 21)
    assert not holds_few_values(SCAN * 0)


def test_few_values_with_rounding_and_without_a_number_outside() -> None:
    labels = (SCAN % 4) + RNG.normal(0, 1e-5, SCAN.shape)
    assert holds_few_values(labels)
    assert holds_few_values(np.where(labels < 0.5, np.inf, labels))
    assert holds_few_values(np.where(labels < 0.5, np.nan, labels))
    assert holds_few_values(np.where(SCAN % 4 == 0, np.nan, (SCAN % 4) * 0.44))


def test_a_scan_of_tiny_values_is_no_map() -> None:
    for scale in (1e-7, 3.4e-6, 1e-5):
        assert not holds_few_values(SCAN * scale)


@pytest.mark.parametrize(
    ("voxels", "expected"),
    [
        (masked(SCALED, 0.6), True),
        (1 - masked(SCALED, 0.6), True),
        (masked(SCALED, 0.6) * 1.0000001, True),
        (masked(SCALED, 0.4), False),
        (SCALED, False),
        (SCALED * 1e-4, False),
        (masked(SCAN, 0.6), False),
        (masked(SCALED, 0.6) - 0.1, False),
        (masked(SCALED, 0.6) * np.nan, False),
    ],
)
def test_probabilities(voxels: np.ndarray, expected: bool) -> None:
    assert may_be_probabilities(voxels) is expected
