import numpy as np
import pytest

from cardioseg.image.inverse_resampling import largest
from cardioseg.image.preprocessing import Preprocessing, prepare
from cardioseg.image.window import Window

WINDOW = Preprocessing("percentile", spacing_mm=1.5, window=32, locate_mm=3.0)


@pytest.mark.parametrize("settings", [WINDOW, Preprocessing(spacing_mm=2.0), Preprocessing()])
@pytest.mark.parametrize("window", [None, Window(32, (3.0, 60.0)), Window(16, (30.0, 9.0)), Window(32, (500.0, 500.0))])
def test_classes_are_the_largest_logits(settings: Preprocessing, window: Window | None) -> None:
    rng = np.random.default_rng(0)
    slices = rng.integers(0, 900, (2, 50, 70)).astype(np.int16)
    images, undo = prepare(slices, (1.2, 1.7), settings, window)
    logits = rng.normal(size=(2, 4, *images.shape[1:])).astype(np.float32)
    assert undo(logits).shape == (2, 4, 50, 70)
    np.testing.assert_array_equal(undo.classes(logits), undo(logits).argmax(1))
    assert undo.classes(logits).dtype == np.uint8
    logits[:, 0] += 9  # a few spots in a background
    logits[:, 1, 10:13, 20:24] += 11
    np.testing.assert_array_equal(undo.classes(logits), undo(logits).argmax(1))
    logits[:, 0] += 99
    assert not undo.classes(logits).any()


def test_of_equal_logits_the_first_counts() -> None:
    logits = np.zeros((1, 3, 1, 3), np.float32)
    logits[0, :, 0, 1] = (1, 2, 2)
    logits[0, :, 0, 2] = (-1, -2, -1)
    assert largest(logits).tolist() == [[[0, 1, 0]]]
