"""Where the points of Dice are lost: known mistakes, and sums that hold for every pair of masks."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hearts import evaluated, heart
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cardioseg.evaluation.error_budget import PARTS, error_budgets, error_parts
from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.result import write
from cardioseg.evaluation.scores import VolumeScore, score
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Voxels

ED, _ = heart(26.0)


def scores(predicted: Voxels, reference: Voxels = ED.mask, volume: str = "ed") -> dict[Label, VolumeScore]:
    pair = Pair("a", "a", replace(ED, name=volume, mask=reference), predicted)
    return {own.label: own for own in score(pair, STRUCTURES)}


def parts_of(predicted: Voxels, label: Label = Label.LV_CAVITY) -> dict[str, float]:
    parts = error_parts(scores(predicted)[label])
    return {name: value for name in PARTS if (value := getattr(parts, name))}


def test_equal_masks_lose_nothing() -> None:
    assert parts_of(ED.mask) == {}


def test_a_slice_that_is_missed() -> None:
    predicted = ED.mask.copy()
    predicted[2] = 0
    cavity = ED.mask == Label.LV_CAVITY
    expected = cavity[2].sum() / (2 * cavity.sum() - cavity[2].sum())
    assert parts_of(predicted) == {"missed_slices": pytest.approx(expected)}


def test_a_slice_that_is_extra() -> None:
    reference = ED.mask.copy()
    reference[2] = 0
    cavity = ED.mask == Label.LV_CAVITY
    parts = error_parts(scores(ED.mask, reference)[Label.LV_CAVITY])
    expected = cavity[2].sum() / (2 * cavity.sum() - cavity[2].sum())
    assert parts.extra_slices == pytest.approx(expected) == parts.lost
    assert parts.missed_slices == 0


@pytest.mark.parametrize(("index", "region"), [(0, "apex"), (1, "mid"), (2, "base"), (3, "base")])
def test_pixels_that_one_slice_lacks_or_has_too_many(index: int, region: str) -> None:
    cavity = ED.mask == Label.LV_CAVITY
    row, column = np.argwhere(cavity[index])[0]
    smaller, larger = ED.mask.copy(), ED.mask.copy()
    smaller[index, row, column] = Label.BACKGROUND
    larger[index, row - 1, column] = Label.LV_CAVITY
    count = 2 * cavity.sum()
    assert parts_of(smaller) == {region: pytest.approx(1 / (count - 1)), "too_small": pytest.approx(1 / (count - 1))}
    assert parts_of(larger) == {region: pytest.approx(1 / (count + 1)), "too_large": pytest.approx(1 / (count + 1))}


MASKS = arrays(np.uint8, (3, 4, 4), elements=st.integers(0, 3))


@given(MASKS, MASKS)
def test_both_ways_to_divide_add_up_to_what_is_lost(reference: Voxels, predicted: Voxels) -> None:
    """Whatever the masks are."""
    volume = replace(
        ED,
        mask=reference,
        image=ED.image[:3, :4, :4],
        annotated=np.ones((3, len(Label)), np.bool_),
        sources=("a file",) * 3,
        grid=None,
    )
    for own in score(Pair("a", "a", volume, predicted), STRUCTURES):
        if own.overlap.dice is None:
            continue
        parts = error_parts(own)
        slices = parts.extra_slices + parts.missed_slices
        assert 1 - own.overlap.dice == pytest.approx(parts.lost)
        assert parts.lost == pytest.approx(slices + parts.base + parts.mid + parts.apex)


def test_budgets_are_means_over_volumes_by_phase() -> None:
    evaluation = evaluated()
    dice = {(row.label, row.group): row.per_volume.get("dice") for row in evaluation.summary}
    budgets = evaluation.error_budgets
    assert [(budget.label, budget.group) for budget in budgets] == [
        (label, group) for label in STRUCTURES for group in ("all", "ed", "es")
    ]
    for budget in budgets:
        spread = dice[budget.label, budget.group]
        assert spread is not None
        assert spread.mean is not None
        assert budget.volumes == spread.n
        assert budget.parts.lost == pytest.approx(1 - spread.mean)


def test_volumes_in_which_both_masks_are_empty_are_not_counted() -> None:
    empty = np.zeros_like(ED.mask)
    both = [scores(empty, empty)[Label.RV_CAVITY], scores(ED.mask)[Label.RV_CAVITY]]
    assert [budget.volumes for budget in error_budgets(both)] == [1, 1]


def test_plain_volumes_have_no_phase() -> None:
    assert [budget.group for budget in error_budgets([scores(ED.mask, volume="a")[Label.RV_CAVITY]])] == ["all"]


def test_table_and_json_hold_the_same(tmp_path: Path) -> None:
    evaluation = evaluated()
    write(evaluation, tmp_path)
    with (tmp_path / "evaluation_errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    documented = json.loads((tmp_path / "evaluation.json").read_text())["error_budget"]
    assert [{name: str(value) for name, value in row.items()} for row in documented] == rows
    assert {row["label"] for row in rows} == {label.key for label in STRUCTURES}
