"""The heart is found on the coarse grid, and a window about it goes there and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioseg.image.heart_position import locate, middle
from cardioseg.image.preprocessing import Floats, Preprocessing, prepare

few = settings(max_examples=30, deadline=None, database=None)
WINDOW = Preprocessing("percentile", spacing_mm=1.5, window=64, locate_mm=3.0)


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2


def bright(images: Floats) -> Floats:
    """A network that calls everything bright heart."""
    return np.stack([0.5 - images, images - 0.5], 1)


@few
@given(st.floats(50, 100), st.floats(50, 100), st.floats(0.9, 2))
def test_finds_a_bright_heart(row: float, column: float, mm: float) -> None:
    slices = np.stack([disc((150, 150), (row, column), 20)] * 3).astype(np.float32)
    found = locate(slices, (mm, mm), WINDOW, bright)
    assert found == pytest.approx((row, column), abs=3 / mm)


def test_a_spot_far_away_does_not_pull() -> None:
    heart = np.stack([disc((100, 100), (40, 60), 15)] * 6)
    spotted = heart.copy()
    spotted[0] |= disc((100, 100), (90, 10), 6)
    found, alone = middle(spotted), middle(heart)
    assert found is not None
    assert alone is not None
    assert found == pytest.approx(alone, abs=1)
    assert middle(np.zeros((2, 8, 8), bool)) is None


@few
@given(st.floats(40, 110), st.floats(40, 110), st.floats(0.8, 1.9), st.floats(0.8, 1.9))
def test_a_window_goes_there_and_back(row: float, column: float, row_mm: float, column_mm: float) -> None:
    rows, columns = np.ogrid[:150, :150]
    mask = (((rows - row) * row_mm) ** 2 + ((columns - column) * column_mm) ** 2 < 30**2)[None]
    images, undo = prepare(mask.astype(np.float32), (row_mm, column_mm), WINDOW, (row, column))
    assert images.shape == (1, 64, 64)
    at = np.arange(64) - 31.5
    ideal = at[:, None] ** 2 + at**2 < 20**2
    assert dice(images[0] > 0.5, ideal) > 0.95
    back = undo(np.stack([0.5 - images, images - 0.5], 1)).argmax(1).astype(bool)
    assert dice(back, mask) > 0.97


def test_beyond_the_window_is_background() -> None:
    slices = np.ones((1, 200, 120), np.float32)
    slices[0, :, 60:] = 0
    images, undo = prepare(slices, (1.5, 1.5), WINDOW, (100.0, 10.0))
    assert (images[0, :, :21] == 0).all()  # beyond the image's left border
    assert (images[0, :, 21:] > 0.9).all()
    logits = undo(np.stack([np.full((1, 64, 64), -5), np.full((1, 64, 64), 5)], 1).astype(np.float32))
    labels = logits.argmax(1)[0]
    assert labels[68:133, :43].all()
    assert labels.sum() == 65 * 43


def test_half_a_window_is_refused() -> None:
    for wrong in ({"locate_mm": 3.0}, {"window": 64, "locate_mm": 3.0}):
        with pytest.raises(ValueError, match="locate_mm needs a window"):
            Preprocessing(**wrong)
    for wrong in ({"window": 60, "locate_mm": 3.0}, {"window": 64, "locate_mm": -1.0}):
        with pytest.raises(ValueError, match=r"not a multiple|not positive"):
            Preprocessing(spacing_mm=1.5, **wrong)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))
