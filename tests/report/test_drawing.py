"""A slice as a picture: the heart sets the contrast, words are read on any background."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from cardioseg.report.drawing import draw_slice, window, write_name
from cardioseg.report.palette import FLAGGED


def test_the_heart_sets_the_contrast_and_bright_fat_does_not() -> None:
    labels = np.zeros((1, 60, 60), np.uint8)
    labels[:, 25:35, 25:35] = 3
    image = np.where(labels > 0, 100.0, 20.0)
    image[:, :, :20] = 900
    grey = window(image, labels)[0]
    assert grey[30, 30] == pytest.approx(1)
    assert grey[30, 50] == pytest.approx(0)
    assert grey[30, 5] == 1
    without_heart = window(image, np.zeros_like(labels))[0]
    assert without_heart[30, 30] < 0.2


def test_a_heart_at_the_edge_and_values_that_are_none() -> None:
    labels = np.zeros((2, 9, 9), np.uint8)
    labels[1, 0, 0] = 1
    image = np.arange(162.0).reshape(2, 9, 9)
    image[0, 4, 4] = np.nan
    grey = window(image, labels)
    assert np.isfinite(grey).all()
    assert (grey.min(), grey.max()) == (0, 1)


def test_the_picture_has_the_shape_and_the_image() -> None:
    grey = np.zeros((10, 20), np.float32)
    grey[:, 10:] = 1
    picture = draw_slice(grey, np.zeros((10, 20), np.uint8), (50, 100))
    assert picture.size == (100, 50)
    assert picture.getpixel((10, 25)) == (0, 0, 0)
    assert picture.getpixel((90, 25)) == (255, 255, 255)


@pytest.mark.parametrize("background", ["#ffffff", "#808080", "#000000"])
@pytest.mark.parametrize("is_flagged", [False, True])
def test_words_stand_out_from_any_background(background: str, is_flagged: bool) -> None:
    picture = Image.new("RGB", (90, 30), background)
    write_name(picture, (5, 5), "slice 3", is_flagged)
    plate = np.asarray(picture, int)[7:22, 8:55]
    assert plate.max() - plate.min() > 150
    colour = ImageColor.getrgb(FLAGGED)
    assert bool((plate == colour).all(axis=-1).any()) == is_flagged
