"""Base, mid and apex of a reference, whichever way its slices run."""

import numpy as np
import pytest

from cardioseg.evaluation.regions import regions
from cardioseg.image.labels import Label
from cardioseg.ingest.labels.subject import LabelledVolume


def volume(*widths: int) -> LabelledVolume:
    mask = np.zeros((len(widths), 12, 12), np.uint8)
    for index, width in enumerate(widths):
        mask[index, :width, :width] = Label.LV_CAVITY
    annotated = np.ones((len(widths), len(Label)), np.bool_)
    return LabelledVolume("ed", mask, mask, annotated, None, ("c",), None, ("",) * len(widths))


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ((0, 9, 8, 7, 6, 5, 4, 0), "outside base base mid mid apex apex outside"),
        ((0, 4, 5, 6, 7, 8, 9, 0), "outside apex apex mid mid base base outside"),
        ((9, 8, 7, 6), "base base mid apex"),
        ((9, 8), "base mid"),
        ((0, 0), "outside outside"),
        ((9, 0, 7, 6), "base outside mid apex"),
    ],
)
def test_thirds_of_the_slices_that_hold_the_heart(widths: tuple[int, ...], expected: str) -> None:
    assert " ".join(regions(volume(*widths))) == expected
