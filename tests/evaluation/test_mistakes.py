"""Swapped labels and flipped axes are named; honest errors are not."""

from collections.abc import Collection, Sequence

import numpy as np
import pytest

from cardioseg.evaluation.mistakes import DoubtfulConvention, likely_mistake
from cardioseg.evaluation.pairing import Pair
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label
from cardioseg.image.volume import Voxels
from cardioseg.ingest.labels.subject import LabelledVolume


def heart() -> Voxels:
    mask = np.zeros((5, 30, 30), np.uint8)
    for index in range(4):
        mask[index, 4 : 18 - 2 * index, 10 : 24 - 2 * index] = Label.LV_MYOCARDIUM
        mask[index, 7 : 15 - 2 * index, 13 : 21 - 2 * index] = Label.LV_CAVITY
        mask[index, 5 : 16 - 3 * index, 3 : 9 - index] = Label.RV_CAVITY
    return mask


MINE = DoubtfulConvention(CONVENTIONS["acdc"], "--predicted-labels")
THEIRS = DoubtfulConvention(CONVENTIONS["acdc"], "--labels", is_reference=True)


def mistake(
    predicted: Voxels,
    mask: Voxels | None = None,
    segmented: Collection[Label] = STRUCTURES,
    doubtful: Sequence[DoubtfulConvention] = (MINE,),
) -> str:
    mask = heart() if mask is None else mask
    annotated = np.ones((len(mask), len(Label)), np.bool_)
    volume = LabelledVolume("ed", mask, mask, annotated, None, ("c",), None, ("",) * len(mask))
    return likely_mistake(Pair("s", "c", volume, predicted), segmented, doubtful)


def only(*labels: Label) -> Voxels:
    mask = heart()
    return np.where(np.isin(mask, labels), mask, 0).astype(np.uint8)


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
        (
            relabelled(0, 3, 1, 2),
            "its labels look swapped (RV cavity is LV myocardium, LV myocardium is LV cavity, LV cavity is RV cavity)",
        ),
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


LV = Label.LV_CAVITY
CYCLE = relabelled(0, 2, 3, 1)
SWAPPED = relabelled(0, 3, 2, 1)


def test_a_label_that_is_not_segmented_is_not_missed() -> None:
    """The reference draws three structures, the model one; with and without its word for it."""
    for segmented in (STRUCTURES, {LV}):
        assert mistake(only(LV), segmented=segmented) == ""
        assert mistake(np.roll(only(LV), 4, axis=2), segmented=segmented) == ""
        assert mistake(only(LV)[::-1, ::-1], segmented=segmented).startswith("its slices and rows look flipped")


def test_a_model_of_one_label_swaps_none() -> None:
    """It segments the LV; a heart in which the RV lies there is another heart, not another label."""
    elsewhere = np.where(only(LV), Label.RV_CAVITY, 0).astype(np.uint8)
    assert mistake(only(LV), elsewhere, {LV}) == ""
    assert mistake(only(LV), elsewhere, {LV, Label.LV_MYOCARDIUM}) == ""
    assert mistake(only(LV), elsewhere) != ""


def test_a_binary_mask_of_another_number_is_named() -> None:
    binary = (only(LV) > 0).astype(np.uint8)
    found = mistake(binary)
    assert found.startswith("its labels look swapped (labels as in mnms and ukbb: --predicted-labels mnms): Dice would")
    assert "--predicted-labels mnms" in mistake(binary, only(LV))


def test_the_option_belongs_to_the_side_in_doubt() -> None:
    read_wrongly = DoubtfulConvention(CONVENTIONS["mnms"], "--predicted-labels")
    assert "(labels as in acdc: --predicted-labels acdc)" in mistake(SWAPPED, doubtful=[read_wrongly])
    assert "(the reference has labels as in mnms and ukbb: --labels mnms)" in mistake(SWAPPED, doubtful=[THEIRS])
    assert "(RV cavity is LV cavity, LV cavity is RV cavity)" in mistake(SWAPPED, doubtful=())
    for doubtful in ([MINE], [THEIRS], [MINE, THEIRS], []):
        assert "LV cavity is LV myocardium" in mistake(CYCLE, doubtful=doubtful)


@pytest.mark.parametrize("order", [(MINE, THEIRS), (THEIRS, MINE)])
def test_the_myocardium_tells_which_of_two_sides_is_wrong(order: Sequence[DoubtfulConvention]) -> None:
    """It lies around the LV: the advice must not exchange LV and RV in the mask that is right."""
    predicted_is_wrong = "its labels look swapped (labels as in mnms and ukbb: --predicted-labels mnms): Dice"
    reference_is_wrong = "its labels look swapped (the reference has labels as in mnms and ukbb: --labels mnms): Dice"
    assert mistake(SWAPPED, heart(), doubtful=order).startswith(predicted_is_wrong)
    assert mistake(heart(), SWAPPED, doubtful=order).startswith(reference_is_wrong)
    binary = (only(LV) > 0).astype(np.uint8)  # its label is 1, the RV of ACDC's numbers
    assert mistake(heart(), binary, doubtful=order).startswith(reference_is_wrong)
    assert mistake(binary, heart(), doubtful=order).startswith(predicted_is_wrong)


def test_both_options_are_named_where_the_masks_do_not_tell() -> None:
    binary = (only(LV) > 0).astype(np.uint8)
    said = mistake(binary, only(LV), doubtful=(MINE, THEIRS))
    assert "(labels as in mnms and ukbb: --predicted-labels mnms; or the reference has labels as" in said
    assert "--labels mnms)" in said


def test_an_exchange_in_both_masks_is_named_though_they_agree() -> None:
    said = mistake(SWAPPED, SWAPPED, doubtful=(MINE, THEIRS))
    assert said.startswith("both masks have LV and RV exchanged (the myocardium lies around the RV cavity): ")
    assert said.endswith("--predicted-labels mnms --labels mnms")
    assert mistake(heart(), heart(), doubtful=(MINE, THEIRS)) == ""
    said = mistake(CYCLE, CYCLE, doubtful=(MINE, THEIRS))
    assert said.startswith("both masks have structures exchanged (")
    assert said.endswith("): change the numbers of their labels")


def test_nothing_to_agree_with() -> None:
    assert mistake(heart(), np.zeros_like(heart())) == ""
    assert mistake(only(Label.RV_CAVITY), only(LV)) == ""
