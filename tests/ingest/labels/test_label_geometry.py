"""What a structure seems to be by how it lies: every wrong order of the numbers is found, no right one is doubted."""

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label
from cardioseg.ingest.labels.label_geometry import is_misread, seen_meaning
from cardioseg.ingest.labels.numbered_labels import labels_of

Mask = NDArray[np.uint8]
RV, MYO, LV = STRUCTURES


def heart(slices: int = 6) -> Mask:
    """(slice, row, column): a ring around the LV cavity, and an RV cavity that touches it on one side."""
    rows, columns = np.mgrid[:64, :64]
    from_lv = np.hypot(rows - 32, columns - 36)
    mask = np.where(np.hypot(rows - 32, columns - 18) < 12, RV, 0)
    mask = np.where(from_lv < 16, MYO, mask)
    return np.repeat(np.where(from_lv < 10, LV, mask)[None], slices, axis=0).astype(np.uint8)


def numbered(*numbers: int) -> Mask:
    """The heart with other numbers for background, RV cavity, myocardium and LV cavity."""
    return np.array(numbers, np.uint8)[heart()]


@pytest.mark.parametrize("order", [order for order in permutations((1, 2, 3)) if order != (1, 2, 3)])
def test_every_wrong_order_is_seen(order: tuple[int, ...]) -> None:
    wrong = numbered(0, *order)
    assert is_misread(wrong)
    assert seen_meaning(wrong) == {Label(number): label for number, label in zip(order, STRUCTURES, strict=True)}
    with pytest.raises(UnusableError, match=f"{order[2]} LV cavity"):
        labels_of(wrong, CONVENTIONS["acdc"])


@pytest.mark.parametrize(
    ("numbers", "convention", "meant", "remedy"),
    [
        ((0, 0, 2, 1), "acdc", "mean 1 LV cavity, 2 LV myocardium as in mnms and ukbb:", "use --labels mnms"),
        ((0, 0, 2, 3), "mnms", "mean 2 LV myocardium, 3 LV cavity as in acdc:", "use --labels acdc"),
        ((0, 0, 1, 2), "acdc", "mean 1 LV myocardium, 2 LV cavity:", "no --labels names these numbers"),
        ((0, 3, 1, 2), "acdc", "mean 1 LV myocardium, 2 LV cavity, 3 RV cavity:", "columns lv_mask, myo_mask and"),
    ],
)
def test_the_meaning_is_said(numbers: tuple[int, ...], convention: str, meant: str, remedy: str) -> None:
    with pytest.raises(UnusableError) as error:
        labels_of(numbered(*numbers), CONVENTIONS[convention])
    assert f"its numbers seem to {meant}" in str(error.value)
    assert remedy in str(error.value)


def without(*labels: Label) -> Mask:
    return np.where(np.isin(heart(), labels), 0, heart()).astype(np.uint8)


def open_wall() -> Mask:
    mask = heart()
    mask[:, :32][mask[:, :32] == MYO] = 0
    return mask


def mostly_without_wall() -> Mask:
    mask = heart()
    mask[1:][mask[1:] == MYO] = 0
    return mask


def filled_apex() -> Mask:
    mask = heart()
    mask[:3][mask[:3] == LV] = MYO
    return mask


@pytest.mark.parametrize(
    "mask",
    [
        heart(),
        heart(1),
        without(RV),
        without(MYO),
        without(LV),
        without(RV, LV),
        without(RV, MYO),
        without(LV, MYO),
        open_wall(),
        mostly_without_wall(),
        filled_apex(),
        np.zeros((3, 8, 8), np.uint8),
        heart()[:0],
    ],
)
def test_a_right_mask_is_never_doubted(mask: Mask) -> None:
    assert not is_misread(mask)
    np.testing.assert_array_equal(labels_of(mask, CONVENTIONS["acdc"]), mask)


def test_one_strange_slice_decides_nothing() -> None:
    mask = heart()
    mask[0] = numbered(0, 3, 2, 1)[0]
    assert is_misread(mask) is False
