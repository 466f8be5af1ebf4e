"""The heart is found on the coarse grid, and a window about it goes there and back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioseg.image.heart_position import locate, middle, windows
from cardioseg.image.preprocessing import Floats, Preprocessing, prepare
from cardioseg.image.window import Window

few = settings(max_examples=30, deadline=None, database=None)
WINDOW = Preprocessing("percentile", spacing_mm=1.5, window=64, locate_mm=3.0)
FITTING = Preprocessing("percentile", spacing_mm=1.5, window=96, locate_mm=3.0, margin_mm=12.0)


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
    assert len({*found}) == 1
    assert found[0].size == 64
    assert found[0].middle == pytest.approx((row, column), abs=3 / mm)


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
    images, undo = prepare(mask.astype(np.float32), (row_mm, column_mm), WINDOW, Window(64, (row, column)))
    assert images.shape == (1, 64, 64)
    at = np.arange(64) - 31.5
    ideal = at[:, None] ** 2 + at**2 < 20**2
    assert dice(images[0] > 0.5, ideal) > 0.95
    back = undo(np.stack([0.5 - images, images - 0.5], 1)).argmax(1).astype(bool)
    assert dice(back, mask) > 0.97


def test_beyond_the_window_is_background() -> None:
    slices = np.ones((1, 200, 120), np.float32)
    slices[0, :, 60:] = 0
    images, undo = prepare(slices, (1.5, 1.5), WINDOW, Window(64, (100.0, 10.0)))
    assert (images[0, :, :21] == 0).all()  # beyond the image's left border
    assert (images[0, :, 21:] > 0.9).all()
    logits = undo(np.stack([np.full((1, 64, 64), -5), np.full((1, 64, 64), 5)], 1).astype(np.float32))
    labels = logits.argmax(1)[0]
    assert labels[68:133, :43].all()
    assert labels.sum() == 65 * 43


@few
@given(st.floats(40, 100), st.floats(40, 100), st.floats(0.9, 2), st.floats(8, 24))
def test_a_fitting_window_is_the_smallest_that_shows_heart_and_margin(
    row: float, column: float, mm: float, radius: float
) -> None:
    heart = disc((140, 140), (row, column), radius)[None]
    found = windows(heart, (mm, mm), FITTING)[0]
    needed_mm = (np.ptp(np.argwhere(heart[0]), axis=0).max() + 1) * mm + 24
    assert found.size == min(96, 16 * np.ceil(needed_mm / 1.5 / 16))
    shown, _ = prepare(heart.astype(np.float32), (mm, mm), FITTING, found)
    if needed_mm <= 96 * 1.5:
        inner = shown[0, 6:-6, 6:-6]  # 12 mm are 8 pixels; a pixel is resampled over two
        assert inner.sum() == pytest.approx(shown[0].sum())


def test_a_window_shows_the_neighbours_and_slices_without_heart_take_the_nearest() -> None:
    heart = np.stack([disc((120, 120), (60, 60), radius) for radius in (0, 0, 20, 30, 9, 9, 9, 0, 0)])
    found = [window.size for window in windows(heart, (1.5, 1.5), FITTING)]
    assert found == [64, 64, 80, 80, 80, 48, 48, 48, 48]
    spotted = heart.copy()
    spotted[5] |= disc((120, 120), (10, 10), 5)
    assert windows(spotted, (1.5, 1.5), FITTING) == windows(heart, (1.5, 1.5), FITTING)
    assert windows(np.zeros_like(heart), (1.5, 1.5), FITTING) == [Window(96)] * len(heart)


def test_each_slice_has_its_window_in_the_search() -> None:
    slices = np.stack([disc((150, 150), (70, 80), radius) for radius in (30, 30, 12, 12)]).astype(np.float32)
    found = locate(slices, (1.5, 1.5), FITTING, bright)
    assert [window.size for window in found] == [80, 80, 80, 48]
    assert found[0].middle == pytest.approx((70, 80), abs=1.5)


def test_half_a_window_is_refused() -> None:
    for wrong in ({"locate_mm": 3.0}, {"window": 64, "locate_mm": 3.0}):
        with pytest.raises(ValueError, match="locate_mm needs a window"):
            Preprocessing(**wrong)
    with pytest.raises(ValueError, match="margin_mm needs locate_mm"):
        Preprocessing(spacing_mm=1.5, window=64, margin_mm=12.0)
    for margin_mm in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="negative or not finite"):
            replace(WINDOW, margin_mm=margin_mm)
    for wrong in ({"window": 60, "locate_mm": 3.0}, {"window": 64, "locate_mm": -1.0}):
        with pytest.raises(ValueError, match=r"not a multiple|not positive"):
            Preprocessing(spacing_mm=1.5, **wrong)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))
