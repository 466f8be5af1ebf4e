"""Swapped labels and flipped axes are named; honest errors are not."""

import numpy as np
import pytest

from cardioseg.evaluation.mistakes import likely_mistake
from cardioseg.evaluation.pairing import Pair
from cardioseg.image.labels import Label
from cardioseg.image.volume import Voxels
from cardioseg.ingest.subject import LabelledVolume


def heart() -> Voxels:
    mask = np.zeros((5, 30, 30), np.uint8)
    for index in range(4):
        mask[index, 4 : 18 - 2 * index, 10 : 24 - 2 * index] = Label.LV_MYOCARDIUM
        mask[index, 7 : 15 - 2 * index, 13 : 21 - 2 * index] = Label.LV_CAVITY
        mask[index, 5 : 16 - 3 * index, 3 : 9 - index] = Label.RV_CAVITY
    return mask


def mistake(predicted: Voxels) -> str:
    mask = heart()
    annotated = np.ones((len(mask), len(Label)), np.bool_)
    volume = LabelledVolume("ed", mask, mask, annotated, None, ("c",), None, ("",) * len(mask))
    return likely_mistake(Pair("s", "c", volume, predicted))


def relabelled(*values: int) -> Voxels:
    swapped: Voxels = np.array(values, np.uint8)[heart()]
    return swapped


@pytest.mark.parametrize(
    ("predicted", "what"),
    [
        (heart()[::-1], "its slices look flipped"),
        (heart()[:, ::-1], "its rows look flipped"),
        (heart()[:, ::-1, ::-1], "its rows and columns look flipped"),
        (relabelled(0, 3, 2, 1), "its labels look swapped (labels as in mnms and ukbb: --predicted-labels mnms)"),
        (relabelled(0, 3, 1, 2), "its labels look swapped (1 is LV myocardium, 2 is LV cavity, 3 is RV cavity)"),
    ],
)
def test_what_went_wrong_is_named(predicted: Voxels, what: str) -> None:
    found = mistake(predicted)
    assert found.startswith(f"{what}: Dice would be 1.00, not 0.")


def test_an_honest_error_is_no_mistake() -> None:
    assert mistake(heart()) == ""
    assert mistake(np.roll(heart(), 3, axis=1)) == ""
    assert mistake(np.zeros_like(heart())) == ""
    assert mistake(np.roll(heart(), 15, axis=2)) == ""
